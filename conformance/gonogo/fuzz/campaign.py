"""A fuzz pass: send generated cases within a budget, then minimise failing ones.

A failing case is sent again with a field omitted, a text cut in half, and so on, as long as it fails in the same way;
each attempt is a case too, recorded and judged like the others.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from gonogo.errors import TargetError
from gonogo.fuzz.budget import MAIN_SHARE, Budget, Purse
from gonogo.fuzz.cases import Shot, is_risky, keyless, mild_first, posted, renumbered, shots
from gonogo.fuzz.smaller import smaller
from gonogo.fuzz.source import generated
from gonogo.fuzz.tame import GENERATING
from gonogo.judge.checks.acceptance import accepted
from gonogo.judge.fuzz_causes import smallest
from gonogo.judge.fuzz_defects import LOOKS
from gonogo.judge.fuzz_surfaces import PATHS, says_missing
from gonogo.reasons import Reason
from gonogo.redaction import looks_secret
from gonogo.report.cost import cost
from gonogo.stimuli.bodies import DEFAULT_TOKENS
from gonogo.stimuli.fuzzed import Case, Meant
from gonogo.verdict import Because

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

    from gonogo.collect.collector import Collector
    from gonogo.exchange import Exchange
    from gonogo.fuzz.source import Told
    from gonogo.judge.fuzz_causes import Defect
    from gonogo.stimuli.stimulus import Subject

    Source = Callable[[int, int], Awaitable[list[Told]]]
    Look = Callable[[Iterable[Exchange]], Iterator[Defect]]

VOLLEY = 2
"""Cases between two signs of life, for each parallel request."""
LONGEST_DRAWING = 300.0
"""Timeout in seconds for generating the cases; a thousand take half a minute on a slow machine."""
TRIED = 4
"""The number of cases that show whether the target has an operation."""
CAUSES = 4
"""The most causes of one kind that are minimised."""
TRIES = 48
"""The most attempts to minimise one cause."""


@dataclass(frozen=True, slots=True)
class Fuzzing:
    """The parameters of fuzzing: the same seed and budget produce the same cases in the same order."""

    seed: int = 0
    budget: Budget = field(default_factory=Budget)


async def fuzz(
    collector: Collector, what: Fuzzing, source: Source = generated, longest: float = LONGEST_DRAWING
) -> None:
    """Send the cases of one pass through the collector; its sink gets the exchanges, or the reason why there are none.

    `source` takes a seed and a maximum number of cases, and returns them within `longest` seconds; the time of the
    budget starts after that. Raises UsageError if Schemathesis is missing, GonogoError if it fails, TargetError if no
    earlier request reached the target.
    """
    if collector.reaches_nobody:
        raise TargetError("The target became unreachable before the first generated request; restart it.")
    now = asyncio.get_running_loop().time
    campaign = _Campaign(collector, what, Purse.of(what.budget))
    told: list[Told] = []
    async with _until(now() + longest):
        told = await source(what.seed, what.budget.cases)
    begun = now()
    async with _until(begun + what.budget.seconds * MAIN_SHARE):
        await campaign.send_all(mild_first(shots(told, what.seed, collector.subject)))
    async with _until(begun + what.budget.seconds):
        await campaign.send_without_key()
        await campaign.make_smaller()
    if not campaign.sent:
        nothing = Case(what.seed, "1", Meant.ODD, "GET /models")
        collector.sink.unsent(nothing.key, Because(Reason.BUDGET_USED_UP))


@asynccontextmanager
async def _until(deadline: float) -> AsyncIterator[None]:
    """Cancel the block at `deadline`, a time of the loop; requests in flight are dropped and not recorded."""
    try:
        async with asyncio.timeout_at(deadline) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise


@dataclass
class _Campaign:
    collector: Collector
    what: Fuzzing
    purse: Purse
    sent: dict[str, tuple[Shot, Exchange]] = field(default_factory=dict)
    lost: bool = False
    told: defaultdict[str, list[int | None]] = field(default_factory=lambda: defaultdict(list))
    """The statuses of the first cases, by path."""

    async def send_all(self, waiting: Iterable[Shot]) -> None:
        """Send the cases in order, within their share of the budget."""
        main = Purse.of(self.what.budget, MAIN_SHARE)
        kept = Purse(self.purse.cases - main.cases, self.purse.tokens - main.tokens)
        there = (shot for shot in waiting if not self._is_missing(shot))
        for volley in _volleys(there, VOLLEY * self.collector.concurrency):
            affordable = self._affordable(volley, kept)
            if not affordable:
                break
            await self._fire(affordable)

    def _is_missing(self, shot: Shot) -> bool:
        """Whether the first cases of an optional operation were all answered as if it were missing."""
        told = self.told[shot.path]
        return shot.path in PATHS and len(told) >= TRIED and says_missing(told)

    def _affordable(self, wanted: Iterable[Shot], kept: Purse) -> list[Shot]:
        """The first cases that the budget allows, minus `kept`; none if the target is lost."""
        left = Purse(self.purse.cases - kept.cases, self.purse.tokens - kept.tokens - DEFAULT_TOKENS)
        found: list[Shot] = []
        for shot in wanted:
            if self.lost or not left.affords(shot.tokens):
                break
            left.pay(shot.tokens)
            found.append(shot)
        return found

    async def _fire(self, volley: list[Shot]) -> list[tuple[Shot, Exchange]]:
        """Send them in parallel, and a sign of life, whose tokens count too."""
        answers = {x.stimulus: x for x in await self.collector.volley([shot.stimulus for shot in volley])}
        pairs = [(shot, answers[shot.case.key]) for shot in volley if shot.case.key in answers]
        self.lost = len(pairs) < len(volley)
        for shot, exchange in pairs:
            self.sent[exchange.id] = shot, exchange
            if shot.case.meant is not Meant.METHOD and len(self.told[shot.path]) < TRIED:
                self.told[shot.path].append(exchange.status)
            self.purse.pay(max(shot.tokens if accepted(exchange) else 0, cost([exchange]).completion_tokens))
        self.purse.tokens -= DEFAULT_TOKENS
        return pairs

    async def send_without_key(self) -> None:
        """For each operation, send the first case that was accepted with a key again without it."""
        first: dict[str, Shot] = {}
        for shot, exchange in self.sent.values():
            keyed = any(looks_secret(name) for name, _ in exchange.request.headers)
            if keyed and accepted(exchange) and shot.path in GENERATING:
                first.setdefault(shot.path, shot)
        again = [one for shot in first.values() for one in keyless(shot)]
        if volley := self._affordable(again, Purse(0, 0)):
            await self._fire(volley)

    async def make_smaller(self) -> None:
        """Minimise the request of each of the first causes of each kind."""
        for look in LOOKS:
            for defect in _varied(smallest(look(self._recorded())))[:CAUSES]:
                await self._reduce(look, defect)

    async def _reduce(self, look: Look, defect: Defect) -> None:
        shot = self.sent[defect.exchange.id][0]
        tries = _Tries(shot, self.collector.subject)
        while not self.lost and (
            volley := self._affordable(tries.take(self.collector.concurrency), Purse(0, 0))
        ):
            pairs = await self._fire(volley)
            alike = {d.exchange.id for d in look(self._recorded()) if d.cause == defect.cause}
            hit = next((shot for shot, exchange in pairs if exchange.id in alike), None)
            if hit is not None:
                tries.go_on_from(hit)

    def _recorded(self) -> Iterator[Exchange]:
        return (exchange for _, exchange in self.sent.values())


def _varied(defects: list[Defect]) -> list[Defect]:
    """The defects with new messages first, then the rest: minimising one may explain others with the same message."""
    first = {defect.cause: defect for defect in reversed(defects)}
    return sorted(defects, key=lambda defect: first[defect.cause] is not defect)


def _volleys(waiting: Iterable[Shot], size: int) -> Iterator[list[Shot]]:
    """The cases in order, in groups of this size; the first one that may stop servers is sent alone."""
    volley: list[Shot] = []
    met = False
    for shot in waiting:
        if is_risky(shot) and not met:
            met = True
            yield from filter(None, (volley, [shot]))
            volley = []
        else:
            volley.append(shot)
        if len(volley) == size:
            yield volley
            volley = []
    yield from filter(None, (volley,))


class _Tries:
    """The attempts to minimise one request: each variant once, at most `TRIES`."""

    def __init__(self, shot: Shot, subject: Subject) -> None:
        self._first, self._subject = shot, subject
        self._tried = {shot.request.body}
        self._number = 0
        self.go_on_from(shot)

    def go_on_from(self, shot: Shot) -> None:
        """Continue with the smaller variants of this one."""
        self._size = len(shot.request.body)
        body = shot.request.json
        self._values = smaller(body) if isinstance(body, dict) else iter(())

    def take(self, count: int) -> Iterator[Shot]:
        """The next few variants with the same meaning."""
        return islice(self._fitting(), min(count, TRIES - self._number))

    def _fitting(self) -> Iterator[Shot]:
        for value in self._values:
            shot = posted(self._first, value, self._subject)
            body = shot.request.body
            if (
                shot.case.meant is self._first.case.meant
                and len(body) < self._size
                and body not in self._tried
            ):
                self._tried.add(body)
                self._number += 1
                yield renumbered(shot, self._number)
