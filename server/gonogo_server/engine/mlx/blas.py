"""A fast BLAS under mlx, on Linux without a GPU.

The `mlx-cpu` wheel is linked with the reference BLAS, whose matrix products are 10 to 60 times slower than
those of a tuned one. The dynamic linker looks a symbol up in the global scope first, in the order of loading,
so that a library with the standard `cblas_*` names that is loaded globally before `mlx.core` takes its place
(dlopen(3), RTLD_GLOBAL).
"""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping

OPENBLAS = ("libopenblas.so.0", "libopenblas.so")
"""As Debian, Ubuntu and Fedora name it; the dynamic linker knows where."""


@dataclass(frozen=True, slots=True)
class Blas:
    """What is to be said about the BLAS: `path` of the library that was loaded, None if there is none."""

    path: str | None
    description: str


def load_blas(
    environ: MutableMapping[str, str] = os.environ, modules: Mapping[str, object] = sys.modules
) -> Blas | None:
    """Load the first BLAS that is found for all of the process; None if mlx has no use for one.

    Looked for are PyPI's `mkl`, then the system's OpenBLAS. Call it before the first import of `mlx.core`.
    """
    if sys.platform != "linux" or not _installed("mlx-cpu"):
        return None
    if "mlx.core" in modules:
        return Blas(None, "the slow one of mlx, because mlx was imported before another could be loaded")
    for name, path in candidates():
        if _has_cblas(path):
            if name == "MKL":
                _settle(Path(path), environ)
            ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
            return Blas(path, f"{name} ({path})")
    return Blas(
        None, "the slow one of mlx; for a faster one: pip install mkl, or apt-get install libopenblas0"
    )


def candidates() -> Iterator[tuple[str, str]]:
    """Name and library of each BLAS that may be on this machine, the fastest first."""
    if _installed("mkl"):
        for file in distribution("mkl").files or ():
            if file.name.startswith("libmkl_rt.so"):
                yield "MKL", str(Path(str(file.locate())).resolve())
    for library in OPENBLAS:
        yield "OpenBLAS", library


def _installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


def _has_cblas(library: str) -> bool:
    try:
        return hasattr(ctypes.CDLL(library), "cblas_sgemm")
    except OSError:
        return False


def _settle(mkl: Path, environ: MutableMapping[str, str]) -> None:
    """Set MKL up, where the user has not."""
    if "MKL_THREADING_LAYER" not in environ and not (mkl.parent / "libiomp5.so").exists():
        # It ends the process at its first product where its OpenMP is missing.
        environ["MKL_THREADING_LAYER"] = "SEQUENTIAL"
    # Its reproducible mode, so that a product is the same whatever memory it lies in; and products of 2 to 16 rows
    # take a fifth to a third less time in it (MKL 2026.2 on AMD EPYC: a step of eight rows 79 ms instead of 96).
    environ.setdefault("MKL_CBWR", "AUTO")
    # Its threads spin for 200 ms after each product by default, longer than a step takes, and so keep a core from the
    # event loop and from clients on this machine. After 1 ms they sleep: a step takes as long, and the processor works
    # 1.5 seconds instead of 2 for each second of one answer (MKL 2026.2 with Intel's OpenMP, two cores of an AMD EPYC).
    environ.setdefault("KMP_BLOCKTIME", "1")
