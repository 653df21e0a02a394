"""The input of a diagnosis: the judgements of a run and the exchanges behind them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from gonogo.judge import kinds, reading
from gonogo.judge.outcome import Stop
from gonogo.stimuli.stimulus import canonical
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Object
    from gonogo.verdict import Judgement

BROKEN = frozenset({Verdict.FAIL, Verdict.WARN})
GENERATIONS = ("/chat/completions", "/completions")


@dataclass(frozen=True, eq=False)
class Observations:
    """Judgements by the id of their rule, and exchanges by their id, both in the order of the run.

    `explained` has the ids of the broken rules with a known cause; it grows during the search.
    """

    judgements: Mapping[str, Judgement]
    exchanges: Mapping[str, Exchange]
    explained: set[str] = field(default_factory=set)

    def broken(self, *patterns: str) -> list[Judgement]:
        """The judgements of broken rules whose id matches one of the patterns ("chat.stream.*")."""
        return [j for j in self._broken if fits(j.rule.id, patterns)]

    def unexplained(self, *patterns: str) -> list[Judgement]:
        """The judgements of `broken` without a known cause."""
        return [j for j in self.broken(*patterns) if j.rule.id not in self.explained]

    def shown(self, judgement: Judgement) -> Exchange:
        """The exchange that shows a finding best. Raises KeyError if it shows none."""
        return self.exchanges[judgement.evidence[0].exchange]

    @cached_property
    def _broken(self) -> list[Judgement]:
        return [judgement for judgement in self.judgements.values() if judgement.verdict in BROKEN]

    @cached_property
    def streams(self) -> list[Exchange]:
        """Accepted generations that are answered with an event stream with at least one chunk."""
        return [e for e in self._generations if e.is_stream and kinds.of_its_kind(e)]

    @cached_property
    def wholes(self) -> list[Exchange]:
        """Accepted generations that are answered with one JSON object of their kind."""
        return [e for e in self._generations if not e.is_stream and kinds.of_its_kind(e)]

    @property
    def answers(self) -> list[Exchange]:
        """Whole answers, then streams."""
        return [*self.wholes, *self.streams]

    @cached_property
    def _generations(self) -> list[Exchange]:
        return [e for e in self.exchanges.values() if e.request.path in GENERATIONS and succeeded(e)]

    @cached_property
    def accepted(self) -> list[Exchange]:
        """Every exchange with a status of 2xx."""
        return [exchange for exchange in self.exchanges.values() if succeeded(exchange)]

    @cached_property
    def refused(self) -> list[Exchange]:
        """Every exchange with a status of 4xx or 5xx."""
        return [e for e in self.exchanges.values() if e.status is not None and e.status >= 400]

    def pairs(self) -> Iterator[tuple[Exchange, Exchange]]:
        """Whole and streamed answers to the same greedy request, both complete."""
        wholes = {_asked(exchange): exchange for exchange in self.wholes if exchange.failure is None}
        for streamed in self.streams:
            whole = wholes.get(_asked(streamed)) if streamed.failure is None else None
            if whole is not None and streamed.request.fields.get("temperature") == 0:
                yield whole, streamed


def fits(rule_id: str, patterns: Iterable[str]) -> bool:
    """Whether the id matches one of the patterns, in which "*" stands for any characters."""
    return any(fnmatchcase(rule_id, pattern) for pattern in patterns)


def succeeded(exchange: Exchange) -> bool:
    """Whether the status is 2xx."""
    return exchange.status is not None and 200 <= exchange.status < 300


def pieces(exchange: Exchange) -> list[str]:
    """The text of a stream's first choice, delta by delta; those without text are omitted."""
    try:
        choices = reading.by_choice(exchange).get(0, [])
    except Stop:
        return []
    found = [reading.delta(choice).get("content") or choice.get("text") for _, choice in choices]
    return [text for text in found if isinstance(text, str) and text]


def whole_text(exchange: Exchange) -> str:
    """The text of a whole answer's first choice; "" if there is none."""
    choice = next(iter(reading.objects(body(exchange).get("choices"))), {})
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text")
    return text if isinstance(text, str) else ""


def body(exchange: Exchange) -> Object:
    """The body as a JSON object; empty if it is not one."""
    try:
        return reading.answer(exchange)
    except Stop:
        return {}


def quoted(text: str, most: int = 40) -> str:
    """The text as JSON, truncated if it is long."""
    return json.dumps(text if len(text) <= most else text[:most] + "…", ensure_ascii=False)


def _asked(exchange: Exchange) -> str:
    fields = {k: v for k, v in exchange.request.fields.items() if k not in {"stream", "stream_options"}}
    return exchange.request.path + canonical(fields)
