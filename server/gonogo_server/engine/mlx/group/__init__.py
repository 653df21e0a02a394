"""One model computed by several processes, usually on several machines, started by `mlx.launch`.

Each process has a shard of the model and runs the same loop over it (SPMD, as mlx_lm's server does it): the same
sequences join the same batch before the same step. Process 0, the coordinator, speaks HTTP; the others are workers.
Before each step it shares what was asked since the last one. No token has to be sent: sums over the processes give all
of them the same logits, and seeds are shared, so that each draws the same.
"""
