"""A fast BLAS under mlx, on Linux without a GPU.

The `mlx-cpu` wheel is linked with the reference BLAS, whose matrix products are 10 to 60 times slower than
those of a tuned one. The dynamic linker looks up a symbol in the global scope first, in the order of loading. A library
with the standard `cblas_*` names that is loaded globally before `mlx.core` therefore replaces the reference BLAS
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
"""The file names in Debian, Ubuntu and Fedora, which the dynamic linker resolves."""


@dataclass(frozen=True, slots=True)
class Blas:
    """The BLAS in use: the `path` of the loaded library, None if none was loaded, and a description for people."""

    path: str | None
    description: str


def load_blas(
    environ: MutableMapping[str, str] = os.environ, modules: Mapping[str, object] = sys.modules
) -> Blas | None:
    """Load the first BLAS that is found, for the whole process; return None if mlx does not need one.

    Tries PyPI's `mkl`, then the system's OpenBLAS. Call it before the first import of `mlx.core`.
    """
    if sys.platform != "linux" or not _installed("mlx-cpu"):
        return None
    if "mlx.core" in modules:
        return Blas(None, "the slow one of mlx, because mlx was imported before another could be loaded")
    for name, path in candidates():
        if _has_cblas(path):
            if name == "MKL":
                _configure_mkl(Path(path), environ)
            ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
            return Blas(path, f"{name} ({path})")
    return Blas(
        None, "the slow one of mlx; for a faster one: pip install mkl, or apt-get install libopenblas0"
    )


def candidates() -> Iterator[tuple[str, str]]:
    """The name and the library of each BLAS that may be installed, the fastest first."""
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


def _configure_mkl(mkl: Path, environ: MutableMapping[str, str]) -> None:
    """Set the environment variables of MKL that the user has not set."""
    if "MKL_THREADING_LAYER" not in environ and not (mkl.parent / "libiomp5.so").exists():
        # Without its OpenMP, MKL ends the process at the first product.
        environ["MKL_THREADING_LAYER"] = "SEQUENTIAL"
    # The reproducible mode, so that a product does not depend on its memory alignment. Products of 2 to 16 rows also
    # take a fifth to a third less time in it (MKL 2026.2 on AMD EPYC: a step of eight rows 79 ms instead of 96).
    environ.setdefault("MKL_CBWR", "AUTO")
    # By default its threads spin for 200 ms after each product, longer than a step takes, and so keep a core from the
    # event loop and from clients on this machine. Here they sleep after 1 ms: a step takes as long, and one second of
    # one answer costs 1.5 seconds of processor time instead of 2 (MKL 2026.2 with Intel's OpenMP, two cores of an AMD
    # EPYC).
    environ.setdefault("KMP_BLOCKTIME", "1")
