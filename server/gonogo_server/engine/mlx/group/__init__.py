"""One model computed by several processes, usually on several machines, started by `mlx.launch`.

Each process has a shard of the model and runs the same loop over it (SPMD, as in mlx_lm's server): the same sequences
join the same batch before the same step. Process 0, the coordinator, serves HTTP; the others are workers. Before each
step it shares the requests that arrived since the last one. No token is sent: sums over the processes give all of them
the same logits, and seeds are shared, so that each samples the same tokens.
"""
