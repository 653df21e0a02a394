# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Play every fault that breaks a must behind the gateway, or those named, and say which the gateway lets through.

Each fault is checked alone; that report makes the quirks of a gateway in front of it, which is checked in turn. Takes
five seconds a fault. Prints a line for each fault that is not go behind the gateway, and the totals; `--every` also
prints those that are, and `--sample N` plays every Nth alone. Exit status 1 where fewer than 95 of 100 are go.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from faults.serving import served, sound  # noqa: E402 - found through the line above
from gonogo.asking import Approach, collect  # noqa: E402
from gonogo.collect.plan import plan  # noqa: E402
from gonogo.errors import TargetError  # noqa: E402
from gonogo.faults.playing import found, playable  # noqa: E402
from gonogo.faults.proxy import proxied  # noqa: E402
from gonogo.report.json import document  # noqa: E402
from gonogo.rules import Catalogue, load  # noqa: E402
from gonogo.running import Selection, judge_again  # noqa: E402
from gonogo.verdict import Level, Verdict  # noqa: E402
from gonogo_server.app import create_app  # noqa: E402
from gonogo_server.provider_settings import ProviderSettings  # noqa: E402
from gonogo_server.providers.registry import Registry  # noqa: E402
from gonogo_server.providers.upstream.client import Client  # noqa: E402
from gonogo_server.providers.upstream.provider import Upstream  # noqa: E402
from gonogo_server.repair.quirks import Quirks  # noqa: E402
from gonogo_server.settings import Settings  # noqa: E402

if TYPE_CHECKING:
    from gonogo.faults.playing import Playable
    from gonogo.report.model import Report

KEY: Final = "a-key-of-the-chore"
PATIENCE: Final = 5.0  # seconds that an answer has; those of the scripted engine take milliseconds
WANTED: Final = 0.95
SELECTION: Final = Selection(skip=("clients",))  # what clients read is what is judged here


def main(arguments: list[str]) -> int:
    """Play them; the exit status."""
    options = _options(arguments)
    catalogue = load()
    musts = {scenario.rule.id for scenario in catalogue if scenario.rule.level is Level.MUST}
    chosen = [fault for name in options.names for fault in found(name)] or [
        fault for fault in playable() if fault.turns & musts and not (fault.unplayable or fault.otherwise)
    ]
    chosen = chosen[:: options.sample]
    went = 0
    with served(sound(KEY, embedders=("embedder",))) as (base_url, _):
        for number, fault in enumerate(chosen, 1):
            left = asyncio.run(_through(base_url, fault, catalogue))
            went += not left
            if left or options.every:
                print(f"{number}/{len(chosen)} {fault.name}: {', '.join(left) or 'go'}", flush=True)
    print(f"{went} of {len(chosen)} are go behind the gateway ({went / len(chosen):.1%})")
    return 0 if went >= WANTED * len(chosen) else 1


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="faults, causes, or rules that faults turn")
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--sample", type=int, default=1)
    return parser.parse_args(arguments)


async def _through(base_url: str, fault: Playable, catalogue: Catalogue) -> list[str]:
    """The must rules that are broken behind the gateway, or why nothing could be judged."""
    try:
        async with proxied(base_url, fault.begin()) as broken:
            report = await _checked(broken, catalogue)
        quirks = Quirks.read(json.loads(json.dumps(document(report))))
        async with proxied(base_url, fault.begin()) as broken:
            return await _behind(broken, quirks, catalogue)
    except TargetError as error:
        return [f"nothing is judged: {error}"]


async def _behind(broken: str, quirks: Quirks, catalogue: Catalogue) -> list[str]:
    settings = Settings(api_key=KEY)  # type: ignore[arg-type]  # pydantic makes a secret of it
    client = Client(ProviderSettings(url=(broken,)), KEY)
    app = create_app(Registry({"lab": Upstream("lab", client, quirks)}), settings)
    with served(app) as (gateway, _):
        report = await _checked(gateway, catalogue)
    return [one.rule.id for one in report.judgements if one.verdict is Verdict.FAIL]


async def _checked(base_url: str, catalogue: Catalogue) -> Report:
    scenarios = SELECTION.scenarios(catalogue)
    approach = Approach(
        base_url, models=("scripted",), embedding_model="embedder", api_key=KEY, timeout=PATIENCE
    )
    records = await collect(approach, plan(scenarios))
    return judge_again(records, SELECTION, catalogue)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
