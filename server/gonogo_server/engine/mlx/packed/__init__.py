"""Packed passes: many sequences in one pass without padding, with few and large operations (Llamas on a CPU).

`weights` joins what can be multiplied at once, `layout` says which tokens of which sequences a pass reads, `caches`
holds what they were read to, `forward` computes, `draw` chooses tokens and `generator` leads; it stands in for
mlx_lm's BatchGenerator, which pads, draws one token a sequence and pass, and computes more operations.
"""
