"""Packed passes: many sequences in one forward pass without padding, in few and large operations (Llamas on a CPU).

`weights` joins matrices that are multiplied together, `layout` lists the tokens that a pass computes, `caches` holds
keys and values, `forward` computes, `draw` samples tokens and `generator` schedules the passes. `generator` replaces
mlx_lm's BatchGenerator, which pads, samples one token per sequence and pass, and runs more operations.
"""
