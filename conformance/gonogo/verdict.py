"""The words of a verdict, and what one is made of. Judging is in `gonogo.judge`, printing in `gonogo.report`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How strongly a rule binds; it follows the keyword of its source."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"


class Verdict(StrEnum):
    """What was found for one rule (design, Verdicts)."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    WARN = "warn"
    UNSUPPORTED = "unsupported"
    INCONCLUSIVE = "inconclusive"
    WAIVED = "waived"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Position:
    """Where in an exchange: `offset` bytes into the body, `seconds` after sending, and the bytes there as text."""

    offset: int
    seconds: float | None
    excerpt: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One exchange that a judgement rests on, with the place that matters, if there is one.

    `actual` is what was there in this exchange, where a rule found something in several.
    """

    exchange: str
    position: Position | None = None
    actual: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement, read from a scenario.

    `id` is its path and its selection syntax ("chat.stream.done"); `group` is the id less its last part.
    `source` names the sentence it rests on, `why` who breaks without it, `steps` its scenario's text, `needs` the ids
    of the rules that it takes for kept.
    """

    id: str
    title: str
    level: Level
    source: str
    why: str
    steps: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The id without its last part."""
        return self.id.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A rule and its verdict: one sentence, and for a broken rule what was expected and what was there.

    `waived` is the reason that the baseline gives for a rule whose verdict is waived.
    """

    rule: Rule
    verdict: Verdict
    message: str
    expected: str | None = None
    actual: str | None = None
    evidence: tuple[Evidence, ...] = field(default=())
    waived: str | None = None
