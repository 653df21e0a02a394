# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Play every fault that breaks a must rule behind the gateway, or the named ones, and print how the gateway does.

Each fault is first checked alone. Its report gives the quirks of a gateway in front of it, which is then checked: two
seconds per fault. Prints a line for each that is not go, and the totals. Without names the outcomes are written to
tests/faults/behind_gateway.json, from which docs/gateway-faults.md is generated; faults in that file are not played
again, so an interrupted run continues where it ended. Exits 1 if fewer than 95 of 100 are go, or if one is passed on or
hangs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from faults.behind_gateway import FILE, KEY, Outcome, of_musts, stage  # noqa: E402 - found through the line above
from faults.gateway_table import PAGE, page  # noqa: E402
from faults.serving import served, sound  # noqa: E402
from gonogo.faults.playing import found, playable  # noqa: E402
from gonogo.rules import load  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from faults.behind_gateway import Entry
    from gonogo.faults.playing import Playable

WANTED: Final = 0.95


def main(arguments: list[str]) -> int:
    """Play the faults; returns the exit status."""
    options = _options(arguments)
    logging.disable()  # otherwise every failure of the upstream is logged
    file = None if options.names else options.file
    known: dict[str, Entry] = {}
    if file is not None and file.exists() and not options.anew:
        known = json.loads(file.read_text("utf-8"))
    number, parts = map(int, options.part.split("/"))
    chosen = [fault for name in options.names for fault in found(name)] or of_musts()[number - 1 :: parts]
    left = [fault for fault in chosen if fault.name not in known]
    with served(sound(KEY, embedders=("embedder",))) as (base_url, _):
        asyncio.run(_play(base_url, left, known, options, file))
    if file == FILE:
        in_order: dict[str, Entry] = json.loads(file.read_text("utf-8"))
        PAGE.write_text(page(in_order), encoding="utf-8")
    return _summed_up(known, chosen)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="faults, causes, or rules that faults turn")
    parser.add_argument("--anew", action="store_true", help="play those of the file again")
    parser.add_argument(
        "--brief", action="store_true", help="check the gateway for the rules that the server breaks alone"
    )
    parser.add_argument("--part", default="1/1", help="2/3 is the second of three parts")
    parser.add_argument("--file", type=Path, default=FILE, help="where outcomes are kept")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no fault after these")
    return parser.parse_args(arguments)


async def _play(
    base_url: str,
    faults: Iterable[Playable],
    known: dict[str, Entry],
    options: argparse.Namespace,
    file: Path | None,
) -> None:
    """Play the faults, and write each outcome immediately."""
    end = monotonic() + options.seconds
    async with stage(base_url, load(), brief=options.brief) as here:
        for fault in faults:
            if monotonic() > end:
                break
            played = await here.play(fault)
            known[fault.name] = played.entry()
            if file is None or played.outcome is not Outcome.GO:
                print(f"{fault.name}: {json.dumps(known[fault.name], ensure_ascii=False)}", flush=True)
            if file is not None:
                _write(file, known)


def _write(file: Path, known: dict[str, Entry]) -> None:
    """Write one line per fault, in the order of the catalogue."""
    order = {fault.name: number for number, fault in enumerate(playable())}
    lines = [
        f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(known[name], ensure_ascii=False)}"
        for name in sorted(known, key=lambda name: order[name])
    ]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _summed_up(known: dict[str, Entry], chosen: Sequence[Playable]) -> int:
    """Print the number of each outcome; returns the exit status."""
    played = [known[fault.name]["outcome"] for fault in chosen if fault.name in known]
    count = Counter(played)
    went = count[Outcome.GO]
    print(f"{len(played)} of {len(chosen)} played: {', '.join(f'{n} {name}' for name, n in count.items())}")
    wrong = count[Outcome.PASSED_ON] + count[Outcome.HANG]
    return 0 if went >= WANTED * len(played) and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
