# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Play every fault on the wire, or the named ones, and print which of its rules miss it and which others find it.

Each run sends all requests to a broken server on loopback. The answers of the correct server behind it are cached, so
that it generates them once for all faults. `--part 2/3` plays the second of three parts. Exits 1 if a rule of a fault
misses it without an explanation in unplayable.json or otherwise.json in gonogo/faults.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from faults.behind_gateway import Known  # noqa: E402 - found through the line above
from faults.fault import turned  # noqa: E402
from faults.serving import served, sound  # noqa: E402
from gonogo.collect.plan import plan  # noqa: E402
from gonogo.collect.recorder import Recorder  # noqa: E402
from gonogo.collection import Approach, collect  # noqa: E402
from gonogo.errors import TargetError  # noqa: E402
from gonogo.faults.playing import found, playable  # noqa: E402
from gonogo.faults.proxy import PREFIX, played  # noqa: E402
from gonogo.judge import judge  # noqa: E402
from gonogo.rules import Catalogue, load  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo.faults.playing import Playable

KEY = "a-key-of-the-chore"
PATIENCE = 5.0  # seconds for an answer; the scripted engine takes milliseconds


def main(arguments: list[str]) -> int:
    """Play the faults; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="faults, causes, or rules that faults turn")
    parser.add_argument("--part", default="1/1", help="2/3 is the second of three parts")
    options = parser.parse_args(arguments)
    number, parts = map(int, options.part.split("/"))
    named = [fault for name in options.names for fault in found(name)] or playable()
    chosen = [fault for fault in named if fault.turns and not fault.unplayable][number - 1 :: parts]
    with served(sound(KEY, embedders=("embedder",))) as (base_url, _):
        failed = asyncio.run(_play_all(base_url, chosen))
    print(f"{len(chosen)} played, {failed} missed", flush=True)
    return 1 if failed else 0


async def _play_all(base_url: str, faults: Iterable[Playable]) -> int:
    """The number of faults that their rules miss."""
    catalogue, failed = load(), 0
    async with Recorder(base_url.removesuffix(PREFIX), timeout=PATIENCE) as recorder:
        known = Known(recorder)
        for fault in faults:
            failed += await _play(known, fault, catalogue)
    return failed


async def _play(known: Known, fault: Playable, catalogue: Catalogue) -> bool:
    """Whether a rule of the fault misses it without explanation; deviations from the fault's rules are printed."""
    scenarios = tuple(catalogue)
    known.begin()
    async with played(known, fault.begin()) as broken:
        approach = Approach(
            broken, models=("scripted",), embedding_model="embedder", api_key=KEY, timeout=PATIENCE
        )
        try:
            (record,) = await collect(approach, plan(scenarios))
        except TargetError as error:
            print(f"{fault.name}: nothing is judged: {error}", flush=True)
            return False
    seen = turned({one.rule.id: one for one in judge(record, scenarios, catalogue)})
    if seen == fault.turns:
        return False
    missing, more = sorted(fault.turns - seen), sorted(seen - fault.turns)
    why = f" ({fault.otherwise})" if fault.otherwise else ""
    print(f"{fault.name}: missing {missing}, more {more}{why}", flush=True)
    return bool(missing) and not fault.otherwise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
