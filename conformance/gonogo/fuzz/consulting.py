"""Runs Schemathesis's own checks on the cases of a record, before the rules `fuzz.*` are judged."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from typing import TYPE_CHECKING

from gonogo.errors import GonogoError
from gonogo.exchange_json import to_json
from gonogo.fuzz.source import environment
from gonogo.judge import opinions
from gonogo.stimuli.fuzzed import is_fuzzed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo.evidence import Record

_COMMAND = [sys.executable, "-m", "gonogo.fuzz.checking"]
_SHOWN = 300


def consult(records: Iterable[Record]) -> None:
    """Run the checks on the cases of these records; the judge reads the results from `judge.opinions`.

    Does nothing if Schemathesis is missing. Raises GonogoError if it fails.
    """
    exchanges = {e.id: e for record in records for e in record.exchanges if is_fuzzed(e.stimulus)}
    if not exchanges or find_spec("schemathesis") is None:
        return
    lines = "".join(json.dumps(to_json(exchange)) + "\n" for exchange in exchanges.values())
    with tempfile.TemporaryDirectory(prefix="gonogo-fuzz-", ignore_cleanup_errors=True) as folder:
        done = subprocess.run(  # noqa: S603 - our own command, and no shell
            _COMMAND, input=lines.encode(), cwd=folder, env=environment(), capture_output=True, check=False
        )
    if done.returncode != 0:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:_SHOWN]
        raise GonogoError(f"Schemathesis could not check the answers: {last or done.returncode}.")
    for line in done.stdout.splitlines():
        exchange_id, said = json.loads(line)
        opinions.remember(exchanges[exchange_id], said)
