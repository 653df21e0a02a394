"""Measurements of which clients break on which deviation, made with the bytes of each fault.

`table.json` holds them; tasks/measure_clients.py writes it. Nothing here runs a client.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FILE = "table.json"
FINE = "ok"
MOST = 4
"""The most clients named in a line; the others are only counted."""

_RAISES = "raises "


@dataclass(frozen=True, slots=True)
class Deviation:
    """A fault of `gonogo.faults` by its `name`, and the outcome of each client on its bytes.

    `scenario` names the answer with the fault, `rules` are the ids of the rules that it breaks, except client rules.
    `outcomes` maps each measured client to "ok" or to its symptom: "raises TypeError", "loses text".
    """

    name: str
    scenario: str
    rules: tuple[str, ...]
    outcomes: Mapping[str, str]

    @property
    def broken(self) -> Mapping[str, str]:
        """The outcomes of the clients that raise or deliver other content, silent failures first."""
        found = ((name, how) for name, how in self.outcomes.items() if how != FINE)
        return dict(sorted(found, key=lambda pair: pair[1].startswith(_RAISES)))


@dataclass(frozen=True, slots=True)
class Table:
    """The versions of the clients by name, and the deviations in the order of the catalogue."""

    clients: Mapping[str, str]
    deviations: tuple[Deviation, ...]


@functools.cache
def table() -> Table:
    """The measured table."""
    stored = json.loads((resources.files(__package__) / FILE).read_text("utf-8"))
    return Table(
        stored["clients"],
        tuple(
            Deviation(name, one["scenario"], tuple(one["rules"]), one["outcomes"])
            for name, one in stored["deviations"].items()
        ),
    )


def text_of(measured: Table) -> str:
    """The text of the file that ships with the package."""
    deviations = {
        one.name: {"scenario": one.scenario, "rules": one.rules, "outcomes": one.outcomes}
        for one in measured.deviations
    }
    stored = {"clients": measured.clients, "deviations": deviations}
    return json.dumps(stored, ensure_ascii=False, indent=1) + "\n"


def told(rules: Collection[str]) -> str | None:
    """A clause about the clients that break if these rules are broken; the first rule is the most specific one.

    It describes the deviation that breaks the first rule, as many of the rules as possible, and no others; None if
    there is no such deviation.
    """
    known = fitting(rules)
    return None if known is None else f'measured on "{known.name}": {_clients(known)}'


def fitting(rules: Collection[str]) -> Deviation | None:
    """The deviation that `told` describes."""
    first, *_ = rules
    found = [one for one in table().deviations if first in one.rules and set(one.rules) <= set(rules)]
    return max(found, key=lambda one: len(one.rules), default=None)


def _clients(deviation: Deviation) -> str:
    broken, number = deviation.broken, len(deviation.outcomes)
    if not broken:
        return f"none of {number} clients breaks"
    shown = [
        f"{name} {_version(name)} {how.replace('; ', ', ')}" for name, how in list(broken.items())[:MOST]
    ]
    more = [f"{len(broken) - MOST} more break"] if len(broken) > MOST else []
    fine = [f"{number - len(broken)} of {number} do not"] if number > len(broken) else []
    return "; ".join([*shown, *more, *fine])


def _version(name: str) -> str:
    return table().clients[name]
