# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Play every fault on the wire, or those named, and say which rules do not find it there, or find more.

Each run asks everything, which takes three seconds a fault. Exit status 1 where a rule of a fault finds nothing, and
neither unplayable.json nor otherwise.json in gonogo/faults says why.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from faults.fault import turned  # noqa: E402 - found through the line above
from faults.serving import served, sound  # noqa: E402
from gonogo.asking import Approach, collect  # noqa: E402
from gonogo.collect.plan import plan  # noqa: E402
from gonogo.errors import TargetError  # noqa: E402
from gonogo.faults.playing import found, playable  # noqa: E402
from gonogo.faults.proxy import proxied  # noqa: E402
from gonogo.judge import judge  # noqa: E402
from gonogo.rules import Catalogue, load  # noqa: E402

if TYPE_CHECKING:
    from gonogo.faults.playing import Playable

KEY = "a-key-of-the-chore"
PATIENCE = 5.0  # seconds that an answer has; those of the scripted engine take milliseconds


def main(arguments: list[str]) -> int:
    """Play them; the exit status."""
    chosen = [fault for name in arguments for fault in found(name)] or playable()
    catalogue = load()
    failed = 0
    with served(sound(KEY, embedders=("embedder",))) as (base_url, _):
        for fault in chosen:
            if fault.turns and not fault.unplayable:
                failed += asyncio.run(_play(base_url, fault, catalogue))
    return 1 if failed else 0


async def _play(base_url: str, fault: Playable, catalogue: Catalogue) -> bool:
    """Whether something is not as the fault says; it is printed."""
    scenarios = tuple(catalogue)
    async with proxied(base_url, fault.begin()) as broken:
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
