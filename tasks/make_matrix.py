# ruff: noqa: INP001, T201, S603 - a script, not a package; it prints, and runs the commands of servers.toml
"""Make the reports of docs/matrix: install each server, start it, check it, stop it.

    uv run python tasks/make_matrix.py [--home DIR] [--timeout S] [NAME…]
    uv run python tasks/make_matrix.py --render

Servers and versions are listed in tasks/matrix/servers.toml; without names all are checked, one at a time. Each has its
own environment under DIR, with its log, the evidence of the check, and the output of the check; the report goes to
docs/matrix/NAME.json, without what can be generated again. `--judge` makes the reports from stored evidence, and
`--render` the pages from all reports. The models are SmolLM2-135M-Instruct and MiniLM, from packages of the development
group. Engines that install PyTorch take 5 GB of disk, and all servers together an hour on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gonogo.report.json import compact

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
HERE: Final = Path(__file__).resolve().parent / "matrix"
DOCS: Final = ROOT / "docs" / "matrix"
READY: Final = 240.0  # seconds to wait for a server that loads PyTorch
PICTURE: Final = ROOT / "docs" / "pictures" / "matrix.png"
GRACE: Final = 20.0  # seconds for a server to stop

Server = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Make the requested reports; 1 if a server could not be checked."""
    options = _options(arguments)
    if options.render:
        return _render()
    servers, home = _servers(options.home), options.home
    chosen = options.names or list(servers)
    failed = []
    for name in chosen:
        server = servers[name]
        evidence = home / "run" / f"{name}.jsonl"
        if options.judge:
            status = _gonogo(server, home, "judge", evidence)
        else:
            _install(server, home)
            with contextlib.ExitStack() as stack:
                for needed in [servers[server["needs"]]] if "needs" in server else []:
                    stack.enter_context(_running(needed, home))
                stack.enter_context(_running(server, home))
                check = ["--timeout", str(options.timeout), *server.get("check", [])]
                status = _gonogo(server, home, "check", _url(server), "--evidence", evidence, *check)
        print(f"{name}: gonogo exited with {status}", flush=True)
        failed += [name] if status not in (0, 1) else []
    return 1 if failed else 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="a table of tasks/matrix/servers.toml")
    parser.add_argument("--home", type=Path, default=ROOT / ".matrix", help="where servers are installed")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds that one answer may take")
    parser.add_argument("--judge", action="store_true", help="judge the evidence that is there")
    parser.add_argument("--render", action="store_true", help="write the pages of docs/matrix")
    options = parser.parse_args(arguments)
    options.home = options.home.resolve()
    return options


def _servers(home: Path) -> dict[str, Server]:
    tables = tomllib.loads((HERE / "servers.toml").read_text(encoding="utf-8"))
    common = tables.pop("env")
    for name, server in tables.items():
        server["name"] = name
        server["env"] = common | server.get("env", {})
    for server in tables.values():
        upstream = _url(tables[server["needs"]]) if "needs" in server else ""
        folder = home / server.get("folder", server["name"])
        server["places"] = {
            "home": home,
            "here": HERE,
            "models": home / "models",
            "folder": folder,
            "bin": folder / "bin",
            "python": sys.executable,
            "port": server["port"],
            "upstream": upstream,
        }
    return tables


def _url(server: Server) -> str:
    return f"http://127.0.0.1:{server['port']}/v1"


def _filled(text: str, server: Server) -> str:
    for key, value in server["places"].items():
        text = text.replace(f"{{{key}}}", str(value))
    return text


# ---- install -------------------------------------------------------------------------------------------------


def _install(server: Server, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "models" / ".made").exists():
        _run(sys.executable, HERE / "prepare_models.py", home)
    folder = server["places"]["folder"]
    if folder.exists() or not (server.keys() & {"pip", "npm"}):
        return
    try:
        _install_into(folder, server)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # a partial installation would pass for a complete one
        raise


def _install_into(folder: Path, server: Server) -> None:
    if "npm" in server:
        _run("npm", "install", "--no-audit", "--no-fund", "--prefix", folder, *server["npm"])
        return
    _run("uv", "venv", "--python", sys.executable, folder)
    pip = ("uv", "pip", "install", "--python", folder / "bin" / "python")
    _run(*pip, *server["pip"])
    if "pip_no_deps" in server:
        _run(*pip, "--no-deps", *server["pip_no_deps"])
    for package, left_out in server.get("pip_deps_of", {}).items():
        listed = (folder / "bin" / "python", "-c", DEPENDENCIES, package, *left_out)
        _run(
            *pip, *subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
        )


DEPENDENCIES: Final = """
import importlib.metadata, re, sys
for line in importlib.metadata.requires(sys.argv[1]) or []:
    asked, _, condition = line.partition(";")
    if "extra" not in condition and re.match("[A-Za-z0-9_.-]+", asked)[0] not in sys.argv[2:]:
        print(asked.strip())
"""
"""The dependencies of a package, except those named in further arguments."""


def _run(*command: object) -> None:
    print("+", *command, flush=True)
    subprocess.run(list(map(str, command)), check=True)


def _version(server: Server) -> str:
    package: str = server["package"]
    if package == "gonogo":
        return importlib.metadata.version(package)
    pins = (
        pin.rpartition("@" if "npm" in server else "==")
        for kind in ("pip", "pip_no_deps", "npm")
        for pin in server.get(kind, [])
    )
    return next(version for name, _, version in pins if name.partition("[")[0] == package)


# ---- run -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _running(server: Server, home: Path) -> Iterator[None]:
    """Run the server: enter once it answers, and end it with all its processes."""
    run = home / "run" / server["name"]
    run.mkdir(parents=True, exist_ok=True)
    for name, text in server.get("files", {}).items():
        (run / name).write_text(_filled(text, server), encoding="utf-8")
    command = [_filled(part, server) for part in server["start"]]
    variables = {name: _filled(value, server) for name, value in server["env"].items()}
    with (run / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=run, env=os.environ | variables,
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait(server, process, run / "log")
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < until:
        if process.poll() is not None:
            sys.exit(f"{server['name']} ended before it answered; see {log}")
        with contextlib.suppress(OSError):
            with contextlib.suppress(urllib.error.HTTPError):  # it may require a key; that is an answer
                opener.open(f"{_url(server)}/models", timeout=10).close()
            return
        time.sleep(0.5)
    sys.exit(f"{server['name']} gave no answer in {READY:.0f} s; see {log}")


def _gonogo(server: Server, home: Path, *arguments: object) -> int:
    """Run gonogo, keep its output, and store its report; returns its exit status."""
    report, printed = home / "run" / f"{server['name']}.json", home / "run" / f"{server['name']}.txt"
    label = server["label"].replace("{version}", _version(server))
    command = [sys.executable, "-m", "gonogo", *map(str, arguments), "--json", str(report), "--label", label]
    variables = {"GONOGO_API_KEY": server["key"]} if "key" in server else {}
    with printed.open("wb") as out:
        done = subprocess.run(
            command, stdout=out, stderr=out, env=os.environ | variables, cwd=home, check=False
        )
    status = done.returncode
    if status in (0, 1):
        text = _without(home, report.read_text(encoding="utf-8"))
        DOCS.mkdir(exist_ok=True)
        (DOCS / f"{server['name']}.json").write_text(compact(json.loads(text)), encoding="utf-8")
    return status


def _without(home: Path, report: str) -> str:
    """A report without the folder of the installed servers, which some name in errors; excerpts may end within it."""
    path = str(home)
    cut = "|".join(re.escape(path[:length]) for length in range(len(path) - 1, 4, -1))
    return re.sub(rf'(?:{cut})(?=\\u2026|")', "/matrix", report.replace(path, "/matrix"))


def _render() -> int:
    """Write the Markdown page of all reports, and its picture if Chromium is installed."""
    names = tomllib.loads((HERE / "servers.toml").read_text(encoding="utf-8"))
    reports = [path for name in names if (path := DOCS / f"{name}.json").exists()]
    with tempfile.TemporaryDirectory() as folder:
        page, markdown = Path(folder) / "matrix.html", Path(folder) / "matrix.md"
        _run(sys.executable, "-m", "gonogo", "matrix", *reports, "--html", page, "--markdown", markdown)
        text = markdown.read_text(encoding="utf-8").partition("\n")[2]
        introduction = (HERE / "introduction.md").read_text(encoding="utf-8")
        (DOCS / "README.md").write_text(introduction + text, encoding="utf-8")
        browser = shutil.which("chromium") or shutil.which("google-chrome")
        if browser is not None:
            PICTURE.parent.mkdir(exist_ok=True)
            _run(
                browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1720,1240",
                f"--screenshot={PICTURE}", page.as_uri(),
            )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
