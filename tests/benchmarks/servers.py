"""Servers to be compared: the reference server, and mlx_lm's with and without a fast BLAS."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

START_SECONDS = 180.0

UNPACK = Path(__file__).resolve().parents[2] / "tasks" / "unpack_model.py"


@dataclass(frozen=True, slots=True)
class Served:
    """A listening server: its name in tables, base URL, process id, and model id."""

    name: str
    base_url: str
    pid: int
    model: str

    @property
    def peak_mebibytes(self) -> float:
        """The peak memory of the process so far (proc(5), VmHWM)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else float("nan")

    @property
    def mebibytes(self) -> float:
        """The current memory of the process (VmRSS)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else float("nan")


def convert(model: str, folder: Path) -> Path:
    """The model as a folder that every MLX server reads, with float32 weights; a separate process writes it."""
    subprocess.run([sys.executable, str(UNPACK), model, str(folder)], check=True)
    return folder


@contextmanager
def gonogo(
    folder: Path, *options: str, name: str = "gonogo serve", tree: Path | None = None
) -> Iterator[Served]:
    """The reference server, as `gonogo serve` starts it; `tree`: that of another checkout, in this environment."""
    port = _free_port()
    command = [sys.executable, "-m", "gonogo_server", "--model", str(folder), "--port", str(port)]
    # A variable, because older servers without a log have no such option.
    environ = {"GONOGO_SERVER_LOG_FORMAT": "off"}
    if tree is not None:
        environ["PYTHONPATH"] = os.pathsep.join(
            str(tree / room) for room in ("server", "openapi", "generated")
        )
    with _running([*command, *options], environ, port) as pid:
        yield Served(name, f"http://127.0.0.1:{port}/v1", pid, folder.name)


@contextmanager
def mlx_lm(folder: Path, *, fast: bool) -> Iterator[Served]:
    """mlx_lm's server; `fast`: with the BLAS of the reference server preloaded."""
    port = _free_port()
    command = [sys.executable, "-m", "mlx_lm.server", "--model", str(folder), "--port", str(port)]
    name = "mlx_lm.server, same BLAS" if fast else "mlx_lm.server as installed"
    with _running([*command, "--log-level", "ERROR"], _preload() if fast else {}, port) as pid:
        yield Served(name, f"http://127.0.0.1:{port}/v1", pid, str(folder))


def _preload() -> Mapping[str, str]:
    files = distribution("mkl").files or ()
    library = next(
        str(Path(str(file.locate())).resolve()) for file in files if file.name.startswith("libmkl_rt.so")
    )
    openmp = next(iter(Path(library).parent.glob("libiomp5.so")), None)
    threading = {} if openmp else {"MKL_THREADING_LAYER": "SEQUENTIAL"}
    return {"LD_PRELOAD": library, **threading}


@contextmanager
def _running(command: list[str], environ: Mapping[str, str], port: int) -> Iterator[int]:
    process = subprocess.Popen(
        command, env={**os.environ, **environ}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(process, f"http://127.0.0.1:{port}/health")
        yield process.pid
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.05)
    raise SystemExit(f"The server did not start: {process.args!r}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
