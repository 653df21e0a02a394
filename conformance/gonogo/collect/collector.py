"""Sends a plan and records the answers.

Harmless stimuli are sent in parallel, those that others depend on first. If a compared text differs from the expected
one, it is requested again alone, because batching can change greedy text; the later exchange counts.
Hostile ones follow in batches, each followed by a sign of life, then those known to stop servers: the first alone,
because it stops most of them. A batch ends early after an answer that a failing server could send. Once the target no
longer answers, nothing more is sent; the rest is recorded as unsent, with the last batch as the possible cause. Any
request of that batch may have stopped the target; without parallel requests, a batch is one request.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gonogo.collect.answers import (
    accepted,
    found_nobody,
    is_doubtful,
    lives,
    loss,
    ran_out_of_time,
)
from gonogo.collect.families import families
from gonogo.collect.patience import patiently
from gonogo.collect.pool import longest_first, pooled
from gonogo.collect.resuming import ids_from
from gonogo.reasons import Reason
from gonogo.stimuli.life import baselines, brief, key_after, sign_of_life
from gonogo.stimuli.stimulus import NotPossible, Risk
from gonogo.verdict import Because

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from gonogo.collect.families import Family
    from gonogo.collect.plan import Plan
    from gonogo.collect.roles import Recorder, Sink
    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.stimulus import Stimulus, Subject

ROUND = 4
"""Harmless requests, as a multiple of `concurrency`, between two checks of `enough`."""

FEWEST_ROUNDS, MOST_ROUNDS = 2, 8
"""Requests, as a multiple of `concurrency`, before a sign of life: after a doubtful answer, and without one. Each sign
of life costs a round trip in which no other hostile request is sent."""


@dataclass
class Collector:
    """Runs one plan against one subject; `concurrency` requests at a time, fewer after a time-out.

    `known` has exchanges of an earlier run, by the key of their stimulus: they are not sent again, and later stimuli
    can be built from them. `ids` yields the ids of new exchanges, `sleep` waits for Retry-After. `enough` returns why
    the run ends now, or None to continue. It is called while no request is in flight, with the keys of the requests
    that may be repeated; for this reason harmless requests are sent in rounds. `ended` is why nothing more is sent.
    """

    recorder: Recorder
    subject: Subject
    sink: Sink
    concurrency: int = 8
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    known: Mapping[str, Exchange] = field(default_factory=dict)
    ids: Iterator[str] = field(default_factory=lambda: ids_from("x", 1))
    enough: Callable[[Collection[str]], Because | None] | None = None
    throttled: int = 0
    ended: Because | None = None
    _answers: dict[str, Exchange] = field(init=False)
    _numbers: dict[str, str] = field(default_factory=dict)
    _impossible: dict[str, Because] = field(default_factory=dict)
    _since: list[Stimulus] = field(default_factory=list)
    _doubt: bool = False
    _told: set[str] = field(default_factory=set)
    _uncompared: list[Family] = field(default_factory=list)
    _asked: int = field(init=False)

    def __post_init__(self) -> None:
        """Start with the known exchanges."""
        self._answers = dict(self.known)
        self._asked = self.concurrency

    async def run(self, plan: Plan) -> None:
        """Send all unknown stimuli; returns when each of them is in the sink as an exchange or as unsent.

        A compared text can be in the sink twice, with two ids, even if it was known: if it differed when sent in
        parallel, it is requested again alone, and the later one counts.
        """
        new = replace(plan, stimuli=self._unknown(plan.stimuli))
        self._number(new.stimuli)
        await self._harmless(new, families(plan.stimuli))
        await self._hostile(new)
        await self._deadly(new)

    async def volley(self, stimuli: Sequence[Stimulus]) -> list[Exchange]:
        """Send more stimuli in parallel, then a sign of life; returns their exchanges, in the same order.

        Known ones are not sent; their exchanges are included. The result is shorter if the target no longer answers;
        the rest is in the sink as unsent.
        """
        new = self._unknown(stimuli)
        self._number(new)
        await self._pool(new)
        sent = [self._answers[stimulus.key] for stimulus in new if stimulus.key in self._answers]
        if sent and all(map(found_nobody, sent)):
            # None of them reached the target, so that a sign of life would blame the wrong request.
            self.ended = Because(Reason.TARGET_GONE, about=tuple(exchange.id for exchange in sent))
        else:
            await self._watch(new)
        self._stop_at_enough()
        found = (self._answers.get(stimulus.key) for stimulus in stimuli)
        return [exchange for exchange in found if exchange is not None]

    @property
    def reaches_nobody(self) -> bool:
        """Whether requests were sent, and none of them reached the target."""
        new = [exchange for key, exchange in self._answers.items() if key not in self.known]
        return bool(new) and all(map(found_nobody, new))

    def learn(self, exchanges: Iterable[Exchange]) -> None:
        """Add known exchanges; called before anything is sent."""
        self.known = self._answers = {**self.known, **{e.stimulus: e for e in exchanges}}

    def give_up(self, stimuli: Iterable[Stimulus], because: Because) -> None:
        """Record as unsent every stimulus that is not in the sink, after a run was interrupted."""
        for key, known in self._impossible.items():
            self._note(key, known)
        for stimulus in self._unknown(stimuli):
            if stimulus.key not in self._told:
                self._note(stimulus.key, because)
        self._leave_uncompared(because)

    def _leave_uncompared(self, because: Because) -> None:
        """Also record as unsent the differing answers that were not yet requested again alone."""
        for family in self._uncompared:
            if not family.all_agree(self._answers):
                for stimulus in (family.base, *family.members):
                    self._note(stimulus.key, because)
        self._uncompared = []

    def _keep(self, exchange: Exchange) -> None:
        self._told.add(exchange.stimulus)
        self.sink.exchange(exchange)

    def _note(self, key: str, because: Because) -> None:
        self._told.add(key)
        self.sink.unsent(key, because)

    def _unknown(self, stimuli: Iterable[Stimulus]) -> tuple[Stimulus, ...]:
        return tuple(stimulus for stimulus in stimuli if stimulus.key not in self.known)

    def _number(self, stimuli: Iterable[Stimulus]) -> None:
        self._numbers |= {stimulus.key: next(self.ids) for stimulus in stimuli}

    @property
    def _is_wide(self) -> bool:
        """Whether requests are sent in parallel; if not, the request that stops the target is known."""
        return self.concurrency > 1

    async def _pool(
        self, stimuli: Sequence[Stimulus], another: Callable[[int], bool] = lambda _: True
    ) -> list[Stimulus]:
        return await pooled(stimuli, self._send, lambda: self.concurrency, another)

    async def _in_rounds(self, stimuli: Sequence[Stimulus], unsettled: Collection[str]) -> None:
        """Send them in parallel; if the run may end early, wait for each round."""
        left = list(stimuli)
        while left:
            begun = await self._pool(left, self._within_round)
            left = [stimulus for stimulus in left if stimulus not in begun]
            self._stop_at_enough(unsettled)

    def _within_round(self, begun: int) -> bool:
        return self.enough is None or self.ended is not None or begun < self.concurrency * ROUND

    def _stop_at_enough(self, unsettled: Collection[str] = ()) -> None:
        if self.enough is not None and self.ended is None:
            self.ended = self.enough(unsettled)

    async def _harmless(self, plan: Plan, kin: Iterable[Family]) -> None:
        """Send the stimuli that need no sign of life, and the client that disconnects, which has its own."""
        quiet = longest_first(plan.quiet)
        self._uncompared = list(kin) if self._is_wide else []
        unsettled = {s.key for family in self._uncompared for s in (family.base, *family.members)}
        plain = longest_first(s for s in plan.stage(Risk.HARMLESS) if s not in quiet)
        await self._in_rounds(plain, unsettled)
        for stimulus in plan.stage(Risk.HARMLESS, alone=True):
            await self._send(stimulus)
        await self._compare()
        self._stop_at_enough()
        leaving = plan.stage(Risk.HOSTILE, alone=True)
        if not leaving or not self._is_wide or self._baseline() is None:
            await self._in_rounds(quiet, ())
            quiet = []
        for stimulus in leaving:
            if stimulus.needs:
                await self._send(stimulus)
                continue
            await self._leave(stimulus, quiet)
            quiet = []

    # ---- texts that are compared

    async def _compare(self) -> None:
        """Request differing texts again, one at a time, because batching may have changed them."""
        if self.ended is not None:
            self._leave_uncompared(self.ended)
        while self._uncompared:
            family = self._uncompared[0]
            if not family.all_agree(self._answers):
                await self._afresh(family.base)
                for member in family.members:
                    if member.key in self._impossible or not family.agrees(member, self._answers):
                        await self._afresh(member)
            del self._uncompared[0]
        for key, because in self._impossible.items():
            self._note(key, because)
        self._impossible.clear()

    async def _afresh(self, stimulus: Stimulus) -> None:
        """Repeat a request that was sent in parallel; the later exchange of a key counts."""
        self._impossible.pop(stimulus.key, None)
        if stimulus.key in self._answers:
            self._numbers[stimulus.key] = next(self.ids)
        await self._send(stimulus)

    # ---- hostile requests

    async def _hostile(self, plan: Plan) -> None:
        mild = plan.stage(Risk.MILD)
        if self._is_wide:
            await self._dare([plan.stage(Risk.HOSTILE)], mild)
        else:
            await self._dare([(*mild, *plan.stage(Risk.HOSTILE))])

    async def _deadly(self, plan: Plan) -> None:
        """Send the first alone, because it stops most servers; if the target still answers, send the rest."""
        first, rest = plan.stage(Risk.DEADLY)[:1], plan.stage(Risk.DEADLY)[1:]
        await self._dare([first, rest, *((stimulus,) for stimulus in plan.stage(Risk.DEADLY, alone=True))])

    async def _dare(self, groups: Sequence[Sequence[Stimulus]], mild: Sequence[Stimulus] = ()) -> None:
        """Send group after group, with a sign of life at the end, and earlier if one is due.

        The mild ones are sent together with the last sign, and are among its suspects.
        """
        self._since, self._doubt = [], False
        for group in groups:
            left = list(group)
            while left:
                begun = await self._pool(left, self._another)
                self._since += begun
                left = [stimulus for stimulus in left if stimulus not in begun]
                if left or (self._doubt and group is not groups[-1]):
                    await self._watch(self._since)
                    self._since, self._doubt = [], False
                self._stop_at_enough()
        await self._watch(self._since, mild)
        self._stop_at_enough()

    def _another(self, begun: int) -> bool:
        """Whether one more request may be sent before the next sign of life.

        A sign of life costs a round trip in which no other hostile request is sent, so that there is one for many
        requests as long as their answers are not doubtful.
        """
        if self.ended is not None:
            return True
        sent = len(self._since) + begun
        if not self._is_wide:
            return sent < 1
        return sent < self.concurrency * (FEWEST_ROUNDS if self._doubt else MOST_ROUNDS)

    async def _send(self, stimulus: Stimulus) -> None:
        exchange = await self._ask(stimulus)
        if exchange is not None:
            self._keep(exchange)

    async def _ask(self, stimulus: Stimulus) -> Exchange | None:
        """The exchange of a stimulus; None if it is unsent."""
        if self.ended is not None:
            self._note(stimulus.key, self.ended)
            return None
        try:
            request = self._request(stimulus)
        except NotPossible as stopped:
            if stimulus.like is None:
                self._note(stimulus.key, stopped.because)
            else:
                self._impossible[stimulus.key] = stopped.because
            return None
        width = self.concurrency
        exchange = await self._patiently(request, self._numbers[stimulus.key], stimulus.key)
        self._answers[stimulus.key] = exchange
        if (
            ran_out_of_time(exchange) and self.concurrency == width
        ):  # only requests that were sent after the last halving cause another
            self.concurrency = max(1, width // 2)
        self._doubt = self._doubt or is_doubtful(exchange)
        return exchange

    def _request(self, stimulus: Stimulus) -> Request:
        missing = next((need for need in stimulus.needs if need.key not in self._answers), None)
        if missing is not None:
            raise NotPossible(Reason.NEED_MISSING, key=missing.key)
        return stimulus.build(self.subject, self._answers)

    async def _patiently(self, request: Request, exchange_id: str, key: str) -> Exchange:
        """Record, and repeat after each Retry-After of the target."""
        exchange, waits = await patiently(
            lambda: self.recorder.record(request, id=exchange_id, stimulus=key), self.sleep
        )
        self.throttled += waits
        return exchange

    # ---- signs of life

    async def _watch(self, after: Sequence[Stimulus], mild: Sequence[Stimulus] = ()) -> None:
        """Send a sign of life together with the mild ones; without an answer the target is lost, and any of them may be
        the cause.
        """
        after = [stimulus for stimulus in after if stimulus.key in self._answers]
        sign = self._sign((*after, *mild))
        if sign is None:
            await self._pool(mild)
            return

        async def send(stimulus: Stimulus) -> None:
            await (self._look(sign) if stimulus is sign else self._send(stimulus))

        await pooled((sign, *mild), send, lambda: self.concurrency)
        self._conclude(sign, (*after, *mild))

    async def _leave(self, leaving: Stimulus, beside: Sequence[Stimulus]) -> None:
        """Send one request with its own sign of life; only harmless ones without generation run in parallel.

        If the target is lost, failures of the parallel ones prove nothing, and they are recorded as unsent.
        """
        asked = self._sign((leaving,))
        sign = None if asked is None else replace(asked, needs=(leaving,))
        held: list[Exchange] = []

        async def send(stimulus: Stimulus) -> None:
            if stimulus is sign:
                await self._look(stimulus)
            elif stimulus is leaving:
                await self._send(stimulus)
            elif (exchange := await self._ask(stimulus)) is not None:
                held.append(exchange)

        await pooled((leaving, *([sign] if sign else ()), *beside), send, lambda: self.concurrency)
        if sign is not None:
            self._conclude(sign, (leaving,))
        for exchange in held:
            if self.ended is not None and exchange.failure is not None:
                del self._answers[exchange.stimulus]
                self._note(exchange.stimulus, self.ended)
            else:
                self._keep(exchange)

    def _sign(self, after: Sequence[Stimulus]) -> Stimulus | None:
        """The next sign of life; None if there is no suitable request, or no hostile request was sent."""
        known = self._baseline()
        if known is None or not after or self.ended is not None:
            return None
        sign = sign_of_life(known, [stimulus.key for stimulus in after])
        self._numbers[sign.key] = next(self.ids)
        return sign

    async def _look(self, sign: Stimulus) -> None:
        """Request one token; if that is refused, repeat exactly the request that succeeded before."""
        for asked in dict.fromkeys((brief(sign), sign)):
            request = asked.build(self.subject, self._answers)
            exchange = await self._patiently(request, self._numbers[sign.key], sign.key)
            self._answers[sign.key] = exchange
            if lives(exchange) or exchange.status is None or exchange.status >= 500:
                return

    def _conclude(self, sign: Stimulus, after: Sequence[Stimulus]) -> None:
        """Record a sign of life with the keys of its suspects, and apply its result."""
        exchange = self._answers.pop(sign.key)
        sent = [stimulus.key for stimulus in after if stimulus.key in self._answers]
        sent = [key for key in sent if not found_nobody(self._answers[key])] or sent
        if not sent:
            return
        self._keep(replace(exchange, stimulus=key_after(sent)))
        if not lives(exchange):
            self.ended = loss([self._answers[key] for key in sent])

    def _baseline(self) -> Stimulus | None:
        """The stimulus of a request that succeeded before: a chat completion if the target has that operation."""
        return next(
            (
                stimulus
                for stimulus in baselines()
                if stimulus.key in self._answers and accepted(self._answers[stimulus.key])
            ),
            None,
        )
