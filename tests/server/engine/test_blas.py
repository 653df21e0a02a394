"""The choice of the BLAS for mlx, and that it is loaded first."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from gonogo_server.engine.mlx import blas

on_linux_cpu = pytest.mark.skipif(sys.platform != "linux", reason="mlx brings its own BLAS on macOS")


@on_linux_cpu
def test_importing_any_module_of_the_engine_loads_the_blas_before_mlx() -> None:
    # In a separate process, because this one has imported mlx already.
    script = (
        "import gonogo_server.engine.mlx.sampler as sampler\n"
        "from gonogo_server.engine.mlx import BLAS\n"
        "import sys\n"
        "assert 'mlx.core' in sys.modules\n"
        "print(BLAS.path, BLAS.description)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    expected = next((path for _, path in blas.candidates() if blas._has_cblas(path)), None)
    assert done.stdout.split()[0] == str(expected)


@on_linux_cpu
def test_it_says_so_when_mlx_was_imported_before() -> None:
    found = blas.load_blas({}, {"mlx.core": object()})
    assert found is not None
    assert found.path is None
    assert "imported before" in found.description


def test_it_says_what_to_install_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(blas, "_installed", lambda package: package == "mlx-cpu")
    monkeypatch.setattr(blas, "OPENBLAS", ("libnothing-of-this-name.so.0",))
    found = blas.load_blas({}, {})
    assert found is not None
    assert found.path is None
    assert "pip install mkl" in found.description


def test_macos_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert blas.load_blas({}, {}) is None


def test_a_gpu_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(blas, "_installed", lambda package: package != "mlx-cpu")
    assert blas.load_blas({}, {}) is None


def test_a_library_without_the_standard_names_is_passed_over() -> None:
    assert not blas._has_cblas("libm.so.6")


def test_the_installed_mkl_is_found_where_it_was_installed() -> None:
    try:
        distribution("mkl")
    except PackageNotFoundError:
        pytest.skip("mkl is not installed")
    name, path = next(blas.candidates())
    assert name == "MKL"
    assert Path(path).name.startswith("libmkl_rt.so")
    assert Path(path).is_file()


def test_mkl_runs_in_one_thread_where_its_openmp_is_missing(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    blas._configure_mkl(tmp_path / "libmkl_rt.so.3", environ)
    assert environ["MKL_THREADING_LAYER"] == "SEQUENTIAL"


def test_mkl_keeps_its_threads_where_its_openmp_is_there(tmp_path: Path) -> None:
    (tmp_path / "libiomp5.so").touch()
    environ: dict[str, str] = {}
    blas._configure_mkl(tmp_path / "libmkl_rt.so.3", environ)
    assert "MKL_THREADING_LAYER" not in environ


def test_mkl_computes_reproducibly(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    blas._configure_mkl(tmp_path / "libmkl_rt.so.3", environ)
    assert environ["MKL_CBWR"] == "AUTO"


def test_mkl_leaves_a_core_to_the_event_loop_between_products(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    blas._configure_mkl(tmp_path / "libmkl_rt.so.3", environ)
    assert environ["KMP_BLOCKTIME"] == "1"


def test_variables_set_by_the_user_are_kept(tmp_path: Path) -> None:
    set_by_user = {"MKL_THREADING_LAYER": "GNU", "MKL_CBWR": "COMPATIBLE", "KMP_BLOCKTIME": "200"}
    environ = dict(set_by_user)
    blas._configure_mkl(tmp_path / "libmkl_rt.so.3", environ)
    assert environ == set_by_user
