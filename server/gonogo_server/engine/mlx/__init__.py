"""The engine on MLX: the only package that imports mlx and mlx_lm.

Importing it, or any module in it, loads a BLAS first: that cannot be done any more once mlx is imported.
"""

from gonogo_server.engine.mlx.blas import load_blas

BLAS = load_blas()
"""The BLAS that mlx computes with; None where it needs none (macOS, a GPU)."""
