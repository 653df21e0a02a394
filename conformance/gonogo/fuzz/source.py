"""The source of generated cases: a separate Schemathesis process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from importlib.util import find_spec
from typing import Any

from gonogo.errors import GonogoError, UsageError
from gonogo.redaction import looks_secret

Told = dict[str, Any]

_COMMAND = [sys.executable, "-m", "gonogo.fuzz.generate"]
_SHOWN = 300


def require_schemathesis() -> None:
    """Raise UsageError, with the command that installs it, if Schemathesis is missing."""
    if find_spec("schemathesis") is None:
        raise UsageError('--fuzz needs Schemathesis: pip install "gonogo[fuzz]".')


async def generated(seed: int, most: int) -> list[Told]:
    """At most `most` cases, as `gonogo.fuzz.generate` describes them; the same for the same seed.

    The generator runs in a temporary folder, and its environment has no key. Raises UsageError if Schemathesis is
    missing, GonogoError if it fails.
    """
    require_schemathesis()
    with tempfile.TemporaryDirectory(prefix="gonogo-fuzz-", ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            str(seed),
            str(most),
            cwd=folder,
            env=environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode != 0:
        last = said.decode("utf-8", "replace").strip().rpartition("\n")[2][:_SHOWN]
        raise GonogoError(f"Schemathesis could not generate cases: {last or process.returncode}.")
    return [json.loads(line) for line in output.splitlines()]


def environment() -> dict[str, str]:
    """The environment of a Schemathesis process: no credentials, and a fixed hash seed."""
    kept = {name: value for name, value in os.environ.items() if not looks_secret(name)}
    return kept | {"PYTHONHASHSEED": "0"}
