"""What mlx computes on, and with what."""

from __future__ import annotations

from importlib.metadata import version

import mlx.core as mx

from gonogo_server.engine.mlx import BLAS


def on_cpu() -> bool:
    """Whether mlx computes on the CPU."""
    return bool(mx.default_device().type == mx.DeviceType.cpu)


def describe() -> str:
    """Version, device, precision and BLAS, for people."""
    if not on_cpu():
        return f"mlx {version('mlx')} on the GPU, weights as stored"
    blas = "" if BLAS is None else f", BLAS: {BLAS.description}"
    return f"mlx {version('mlx')} on the CPU, float32{blas}"
