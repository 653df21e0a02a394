"""The device that mlx computes on."""

from __future__ import annotations

from importlib.metadata import version

import mlx.core as mx

from gonogo_server.engine.mlx import BLAS


def on_cpu() -> bool:
    """Whether mlx computes on the CPU."""
    return bool(mx.default_device().type == mx.DeviceType.cpu)


def set_up() -> None:
    """Configure mlx for the device, for the whole process. Call it before a model is loaded."""
    # Without this, macOS pages out a large model between steps; elsewhere it has no effect.
    most = mx.device_info().get("max_recommended_working_set_size")
    if most is not None:
        mx.set_wired_limit(int(most))
    if on_cpu():
        # On Linux mlx compiles with g++ and keeps the output in a shared folder of /tmp. This gains nothing there: 17
        # to 22 tokens a second with and without it (SmolLM2-135M, two cores).
        mx.disable_compile()


def describe() -> str:
    """The version of mlx, the device, the precision and the BLAS, for people."""
    if not on_cpu():
        return f"mlx {version('mlx')} on the GPU, weights as stored"
    blas = "" if BLAS is None else f", BLAS: {BLAS.description}"
    return f"mlx {version('mlx')} on the CPU, float32{blas}"
