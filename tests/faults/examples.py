"""Examples of rules for `gonogo explain`: one answer of the clean run, and the same answer with a fault.

Nothing is written by hand, and nothing depends on the number of requests in a run: ids are renumbered in each example.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from os.path import commonprefix
from typing import TYPE_CHECKING

from faults.fault import turned
from gonogo.faults.catalogue.clients import broken_by
from gonogo.faults.catalogue.clients_node import BROKEN_BY_NODE
from gonogo.judge import judge
from gonogo.report.wording import visible
from gonogo.rules.examples import Example
from gonogo.stimuli.fuzzed import GROUPS
from gonogo.stimuli.played import GROUP as GATEWAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.faults.fault import Fault
    from gonogo.rules import Catalogue, Scenario
    from gonogo.verdict import Judgement

COMMAND = "uv run python tasks/generate_examples.py"
GENERATED = "its requests are generated; a run with --fuzz shows the smallest one that breaks the rule"
BEHIND = "its upstream is the suite's own; a run with --upstream-faults plays what the rule is about"
IN_NODE = "its client runs in Node, beside a run with --node-modules; gonogo faults {} lists what breaks it"

MOST = 300  # characters of an excerpt, and of expected and actual
MOST_ASKED = 100
BEFORE = 120  # characters shown before the first difference on the same line
WORTH_LEAVING_OUT = 40  # minimum length of a common beginning of all events to be omitted
END = "\n\n"
_NUMBERED = re.compile(r"\b(chatcmpl-|cmpl-|req_|call_|x)([0-9]+)\b")


def examples(clean: Record, catalogue: Catalogue, faults: Iterable[Fault]) -> dict[str, Example | str]:
    """The example of every rule that a fault breaks, by id, in the order of the catalogue.

    Of several faults the one that breaks fewest rules is chosen, preferably one that a report was seen of. A rule about
    generated requests, a gateway or Node clients has a sentence instead of an example, unless there is a fault.
    """
    ranked = sorted(faults, key=lambda fault: (len(_turned_by(fault)), "#" not in fault.imitates))
    found: dict[str, Example | str] = {}
    for scenario in catalogue:
        rule = scenario.rule
        shown = (_example(scenario, f, clean, catalogue) for f in ranked if rule.id in _turned_by(f))
        example = next((example for example in shown if example is not None), None)
        if example is not None:
            found[rule.id] = example
        elif rule.group in GROUPS:
            found[rule.id] = GENERATED
        elif rule.id.startswith(f"{GATEWAY}."):
            found[rule.id] = BEHIND
        elif rule.id in BROKEN_BY_NODE:
            found[rule.id] = IN_NODE.format(rule.id)
    return found


def text_of(found: dict[str, Example | str]) -> str:
    """The text of the file that ships with the rules."""
    entries = {key: entry if isinstance(entry, str) else asdict(entry) for key, entry in found.items()}
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"


def _turned_by(fault: Fault) -> frozenset[str]:
    return fault.turns | broken_by(fault.name)


def _example(scenario: Scenario, fault: Fault, clean: Record, catalogue: Catalogue) -> Example | None:
    """The fault as the rule reports it; None if the rule does not find it."""
    record = fault.change(clean)
    (judgement,) = judge(record, [scenario], catalogue)
    pair = _pair(judgement, clean if fault.good is None else fault.good(clean), record)
    if pair is None or not turned({scenario.rule.id: judgement}):
        return None
    steady = _Steady()
    good, bad = _excerpts(*pair, steady)
    expected, actual = (
        _cut(steady(visible(text or "")), MOST) for text in (judgement.expected, judgement.actual)
    )
    asked = _cut(pair[0].stimulus, MOST_ASKED)
    return Example(asked, good, bad, fault.name, fault.imitates, expected, actual)


def _pair(judgement: Judgement, clean: Record, record: Record) -> tuple[Exchange, Exchange] | None:
    """The first exchange in the judgement that the fault changed: before and after."""
    before = {exchange.id: exchange for exchange in clean.exchanges}
    after = {exchange.id: exchange for exchange in record.exchanges}
    pairs = [
        (before[shown.exchange], after[shown.exchange])
        for shown in judgement.evidence
        if shown.exchange in before
    ]
    return next((pair for pair in pairs if pair[0] is not pair[1]), None)


class _Steady:
    """Renumbers the ids of one example from 1, in order of occurrence; equal ids stay equal."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}

    def __call__(self, text: str) -> str:
        return _NUMBERED.sub(self._again, text)

    def _again(self, match: re.Match[str]) -> str:
        numbers = self._numbers.setdefault(match[1], {})
        return f"{match[1]}{numbers.setdefault(match[2], len(numbers) + 1)}"


# ---- excerpts ------------------------------------------------------------------------------------------------


def _excerpts(good: Exchange, bad: Exchange, steady: _Steady) -> tuple[str, str]:
    """Both answers around the first difference: status and headers if they differ, and the body."""
    heads = [steady(_head(good, bad)), steady(_head(bad, good))]
    bodies = [steady(body) for body in _bodies(good, bad)]
    room = MOST - max(map(len, heads)) - len("\n… ")
    shown = zip(heads, _around_difference(_compact(bodies), room), strict=True)
    first, second = ("\n".join(filter(None, parts)) for parts in shown)
    return first, second


def _head(exchange: Exchange, other: Exchange) -> str:
    """Status, differing headers, and failure; "" if nothing differs."""
    if _ended(exchange) == _ended(other):
        return ""
    lines = ["no answer" if exchange.status is None else f"status {exchange.status}"]
    if other.status is not None:
        lines += [
            visible(f"{n}: {value}") for n, value in exchange.headers if (n, value) not in other.headers
        ]
    if exchange.failure is not None:
        lines.append(f"the connection failed: {exchange.failure.kind}")
    if exchange.hung_up is not other.hung_up:
        lines.append(f"behind it the connection {'is closed' if exchange.hung_up else 'stays open'}")
    return "\n".join(lines)


def _ended(exchange: Exchange) -> tuple[object, ...]:
    return exchange.status, exchange.headers, exchange.failure, exchange.hung_up


def _bodies(*pair: Exchange) -> list[str]:
    """The bodies as text; or their pieces with arrival times, if nothing else differs."""
    texts = [exchange.body.decode("utf-8", "backslashreplace") for exchange in pair]
    if texts[0] != texts[1] or _head(*pair):
        return texts
    return [
        "\n".join(f"{c.at:g} s  {c.data.decode('utf-8', 'backslashreplace')!r}" for c in e.chunks)
        for e in pair
    ]


def _compact(bodies: Sequence[str]) -> list[str]:
    """Streams without the beginning that all their events share; other bodies unchanged."""
    begin = "data: {"
    events = [event for body in bodies for event in body.split(END) if event.startswith(begin)]
    shared = commonprefix(events)  # noqa: RUF071 - texts, not paths
    kept = shared.rfind(",") + 1
    if not all(body.startswith("data:") for body in bodies) or kept < WORTH_LEAVING_OUT:
        return list(bodies)
    return [body.replace(shared[:kept], begin + "…,") for body in bodies]


def _around_difference(bodies: Sequence[str], room: int) -> list[str]:
    """At most `room` characters of each body, from just before the first difference; from the start without one."""
    shared = commonprefix(bodies)  # noqa: RUF071 - texts, not paths
    start = 0 if bodies[0] == bodies[1] else _start(shared)
    shown = [body[start:] for body in bodies]
    show_end = shown[0] != shown[1] and shown[0].rstrip("\n") == shown[1].rstrip("\n")
    return [("… " if start else "") + _cut(_lines(body, show_end=show_end), room) for body in shown]


def _start(shared: str) -> int:
    """The offset to begin at, shortly before the end of the common part: at an event, a field, or anywhere."""
    earliest = len(shared) - BEFORE
    if earliest <= 0:
        return 0
    places = (shared.find(end, earliest) + len(end) for end in (END, ","))
    return next((place for place in places if place > earliest), earliest)


def _lines(text: str, *, show_end: bool) -> str:
    """The text with everything unprintable escaped; line ends only if `show_end`."""
    return visible(text) if show_end else "\n".join(map(visible, text.rstrip("\n").split("\n")))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
