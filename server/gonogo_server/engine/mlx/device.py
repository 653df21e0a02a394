"""The device that mlx computes on."""

from __future__ import annotations

from importlib.metadata import version

import mlx.core as mx

from gonogo_server.engine.mlx import BLAS


def on_cpu() -> bool:
    """Whether mlx computes on the CPU."""
    return bool(mx.default_device().type == mx.DeviceType.cpu)


def set_up() -> None:
    """Settle, for all of the process, what suits the device; to be called before a model is loaded."""
    # Without it a large model is paged out between steps on macOS; elsewhere it does nothing.
    most = mx.device_info().get("max_recommended_working_set_size")
    if most is not None:
        mx.set_wired_limit(int(most))
    if on_cpu():
        # On Linux compiling means to run g++ and to keep what comes of it in a shared folder of /tmp, and it
        # gains nothing there: 17 to 22 tokens a second with it and without (SmolLM2-135M, two cores).
        mx.disable_compile()


def describe() -> str:
    """Version, device, precision and BLAS, for people."""
    if not on_cpu():
        return f"mlx {version('mlx')} on the GPU, weights as stored"
    blas = "" if BLAS is None else f", BLAS: {BLAS.description}"
    return f"mlx {version('mlx')} on the CPU, float32{blas}"
