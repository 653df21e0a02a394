"""A fault behind the gateway: the report on the broken server gives the quirks, and the gateway is then checked.

The correct server's answers are cached, and the nth answer to a request is used for the nth of its kind in each play.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter, defaultdict
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, NotRequired, TypedDict

from faults.serving import served
from gonogo.collect.plan import plan
from gonogo.collect.recorder import Recorder
from gonogo.collection import Approach, collect
from gonogo.errors import TargetError
from gonogo.exchange import FailureKind
from gonogo.faults.playing import UNFIT, playable
from gonogo.faults.proxy import PREFIX, played
from gonogo.report.json import document
from gonogo.rules import load
from gonogo.running import Selection, judge_again
from gonogo.verdict import Level, Verdict
from gonogo_server.app import create_app
from gonogo_server.provider_settings import ProviderSettings
from gonogo_server.providers.registry import Registry
from gonogo_server.providers.upstream.client import Client
from gonogo_server.providers.upstream.provider import Upstream
from gonogo_server.repair.quirks import Quirks
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from faults.serving import Receive, Scope, Send
    from gonogo.evidence import Record
    from gonogo.exchange import Exchange, Request
    from gonogo.faults.playing import Playable
    from gonogo.rules import Catalogue
    from gonogo.verdict import Judgement

FILE: Final = Path(__file__).parent / "behind_gateway.json"
"""The outcome of each fault when tasks/play_through_gateway.py was run."""
MOST: Final = 200
"""Characters of what was found."""
KEY: Final = "a-key-of-the-gateway"
PATIENCE: Final = 5.0
"""Seconds for an answer; the scripted engine takes milliseconds."""
SELECTION: Final = Selection(skip=("clients",))
"""Rules about clients are omitted: what clients read is judged here."""
BROKEN: Final = (Verdict.FAIL, Verdict.WARN)
ERROR_EVENTS: Final = (b'data: {"error":', b"event: error\n", b"event: response.failed\n")
"""How the event of an error begins: in chats and completions, in messages and responses, and in responses."""
ENVELOPES: Final = (b'{"error":', b'{"type":"error"')
"""How an error object begins, that of messages last."""
FAILURES: Final = ("http.survives", "http.no_server_error", "http.complete")
"""Rules that any request may break."""


class Outcome(StrEnum):
    """The outcome of the gateway's check."""

    GO = "go"
    REFUSED = "refused"
    """No-go, and all broken rules are about answers with a 4xx status in the contract's envelope."""
    ERROR = "ends in an error"
    """No-go, and all broken rules are about such answers, 5xx statuses, or errors at the end of a stream."""
    PASSED_ON = "passed on"
    """No-go, and a client got a wrong answer as if it were right."""
    HANG = "hang"
    """An answer was not received in time."""


class Entry(TypedDict):
    """The outcome of a fault, as stored in the file."""

    outcome: str
    open: NotRequired[dict[str, str]]
    """The verdicts of the fault's rules that did not pass."""
    broken: NotRequired[dict[str, str]]
    """The must rules that are broken behind the gateway, with what was found."""


@dataclass(frozen=True, slots=True)
class Played:
    """The outcome of a fault behind the gateway; `turned` has the verdicts of the must rules that it breaks alone."""

    outcome: Outcome
    turned: Mapping[str, str]
    broken: Mapping[str, str] = field(default_factory=dict)
    """What was found for each broken rule."""

    def entry(self) -> Entry:
        """The entry for the file."""
        entry: Entry = {"outcome": self.outcome.value}
        left = {rule: verdict for rule, verdict in self.turned.items() if verdict != Verdict.PASS}
        if left:
            entry["open"] = left
        if self.broken:
            entry["broken"] = dict(self.broken)
        return entry


@dataclass
class Known:
    """Forwards requests to the correct server and caches its answers; `begin` starts a play."""

    recorder: Recorder
    _answers: dict[tuple[object, ...], list[Exchange]] = field(default_factory=lambda: defaultdict(list))
    _asked: Counter[tuple[object, ...]] = field(default_factory=Counter)

    def begin(self) -> None:
        """Begin again with the first answer to every request."""
        self._asked.clear()

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - the role's name
        """The cached answer, or that of the correct server."""
        has_key = any(name.lower() == "authorization" for name, _ in request.headers)
        kind = (request.method, request.path, request.body, has_key)
        number = self._asked[kind]
        self._asked[kind] += 1
        answers = self._answers[kind]
        if number >= len(answers):
            answer = await self.recorder.record(request, id=id, stimulus=stimulus)
            if answer.failure is None:  # failures come from a busy machine, not from the server
                answers.append(answer)
            return answer
        return replace(answers[number], id=id, request=request, stimulus=stimulus)


@dataclass(frozen=True)
class Stage:
    """The stage for faults: a correct server, and the record of its check.

    `brief`: the gateway is checked only by the rules that the broken server breaks, and by those about failures.
    """

    known: Known
    clean: Record
    catalogue: Catalogue
    brief: bool = False

    async def play(self, fault: Playable) -> Played:
        """Play one fault, alone and behind the gateway."""
        musts = {each.rule.id for each in self.catalogue if each.rule.level is Level.MUST}
        selection = SELECTION
        try:
            report = judge_again((await self._alone(fault),), SELECTION, self.catalogue)
            quirks = Quirks.read(json.loads(json.dumps(document(report))))
            if self.brief:
                seen = {each.rule.id for each in report.judgements if each.verdict in BROKEN}
                selection = Selection(only=(*sorted(seen | fault.turns), *FAILURES), skip=("clients",))
        except TargetError:
            quirks = Quirks()
        record = await self._behind(fault, quirks, selection)
        if record is None:
            return Played(Outcome.ERROR, {}, {"": "nothing could be judged"})
        judgements = judge_again((record,), selection, self.catalogue).judgements
        broken = [each for each in judgements if each.verdict is Verdict.FAIL]
        return Played(
            _outcome(broken, record),
            {each.rule.id: each.verdict.value for each in judgements if each.rule.id in fault.turns & musts},
            {each.rule.id: (each.actual or "")[:MOST] for each in broken},
        )

    async def _alone(self, fault: Playable) -> Record:
        """The record of a check of the broken server; requests are repeated only if connections fail."""
        playing = fault.begin()
        exchanges = [
            replace(playing.answer(each), id=each.id, stimulus=each.stimulus) for each in self.clean.exchanges
        ]
        before = {each.id: each for each in self.clean.exchanges}
        if all(each.failure == before[each.id].failure for each in exchanges):
            more = self._sent_after_refusals(fault)
            unsent = {key: because for key, because in self.clean.unsent.items() if key not in more}
            return replace(self.clean, exchanges=(*exchanges, *more.values()), unsent=unsent)
        self.known.begin()
        async with played(self.known, fault.begin()) as broken:
            return await recorded(broken, self.catalogue)

    def _sent_after_refusals(self, fault: Playable) -> dict[str, Exchange]:
        """The exchanges of requests that are sent only to a server with this fault, by their keys."""
        with suppress(*UNFIT):  # its edits need answers that this server does not give
            changed = self.clean if fault.change is None else fault.change(self.clean)
            return {each.stimulus: each for each in changed.exchanges if each.stimulus in self.clean.unsent}
        return {}

    async def _behind(self, fault: Playable, quirks: Quirks, selection: Selection) -> Record | None:
        """The record of a check of the gateway; None if there is nothing to judge."""
        settings = Settings(api_key=KEY)  # type: ignore[arg-type]  # pydantic converts it to a secret
        self.known.begin()
        async with played(self.known, fault.begin()) as broken:
            client = Client(ProviderSettings(url=(broken,)), KEY)
            app = create_app(Registry({"lab": Upstream("lab", client, quirks)}), settings)
            loops: list[asyncio.AbstractEventLoop] = []

            async def noting(scope: Scope, receive: Receive, send: Send) -> None:
                loops[:] = [asyncio.get_running_loop()]
                await app(scope, receive, send)

            with served(noting) as (gateway, _):
                try:
                    return await recorded(gateway, self.catalogue, selection)
                except TargetError:
                    return None
                finally:  # on the event loop of its connections
                    for loop in loops:
                        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(client.close(), loop))


@asynccontextmanager
async def stage(base_url: str, catalogue: Catalogue, *, brief: bool = False) -> AsyncIterator[Stage]:
    """The stage on a correct server, which is checked once."""
    async with Recorder(base_url.removesuffix(PREFIX), timeout=PATIENCE) as recorder:
        yield Stage(Known(recorder), await recorded(base_url, catalogue), catalogue, brief)


async def recorded(base_url: str, catalogue: Catalogue, selection: Selection = SELECTION) -> Record:
    """The record of a check. Raises TargetError if there is nothing to judge."""
    approach = Approach(
        base_url, models=("scripted",), embedding_model="embedder", api_key=KEY, timeout=PATIENCE
    )
    (record,) = await collect(approach, plan(selection.scenarios(catalogue)))
    return record


OTHER_SURFACES: Final = ("responses.", "messages.")
"""Groups whose faults are not played here, because the gateway makes these answers itself from chat's."""


def of_musts() -> list[Playable]:
    """The playable faults that break a must rule."""
    musts = {scenario.rule.id for scenario in load() if scenario.rule.level is Level.MUST}
    return [
        fault for fault in playable() if fault.turns & musts and not (fault.unplayable or fault.otherwise)
    ]


def _outcome(broken: Iterable[Judgement], record: Record) -> Outcome:
    exchanges = {each.id: each for each in record.exchanges}
    found = {answer for each in broken for answer in _answers(each, exchanges)}
    if any(
        each.failure is not None and each.failure.kind is FailureKind.TIMEOUT for each in record.exchanges
    ):
        return Outcome.HANG
    for outcome in (Outcome.PASSED_ON, Outcome.ERROR, Outcome.REFUSED):
        if outcome in found:
            return outcome
    return Outcome.GO


def _answers(judgement: Judgement, exchanges: Mapping[str, Exchange]) -> set[Outcome]:
    """What a client got. Rules that judge a status have evidence with correct answers too."""
    status = re.search(r"status (?:is )?([45])\d\d", judgement.actual or "")
    if status is not None:
        return {Outcome.REFUSED if status[1] == "4" else Outcome.ERROR}
    return {_answered(exchanges[piece.exchange]) for piece in judgement.evidence} or {Outcome.PASSED_ON}


def _answered(exchange: Exchange) -> Outcome:
    """The kind of answer that a client got, which breaks a rule."""
    if exchange.status is None or exchange.failure is not None:
        return Outcome.PASSED_ON
    if exchange.status < 400:
        return Outcome.ERROR if any(map(exchange.body.__contains__, ERROR_EVENTS)) else Outcome.PASSED_ON
    if not exchange.body.startswith(ENVELOPES):
        return Outcome.PASSED_ON
    return Outcome.REFUSED if exchange.status < 500 else Outcome.ERROR
