"""Verdicts and their parts. `gonogo.judge` makes them, `gonogo.report` prints them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.reasons import Reason


FIRST_SET = "2026-12"
"""The rule set that introduced all rules without a `since` (see `gonogo.rules.sets`)."""


class Level(StrEnum):
    """The requirement level of a rule; it follows the keyword of its source."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"


class Verdict(StrEnum):
    """The result for one rule (design, Verdicts)."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    WARN = "warn"
    UNSUPPORTED = "unsupported"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not-applicable"
    WAIVED = "waived"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Position:
    """A position in an exchange: `offset` bytes into the body, `seconds` after sending, and the bytes there as text."""

    offset: int
    seconds: float | None
    excerpt: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One exchange on which a judgement is based, with the relevant position if there is one.

    `actual` is the value in this exchange if a rule found a defect in several.
    """

    exchange: str
    position: Position | None = None
    actual: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Witness:
    """The basis of a pass: `what` was checked `count` times in the exchange with that id, and was correct.

    `what` is a noun phrase in the singular, in our own words ("chunk with an id", "status 400").
    """

    exchange: str
    what: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Because:
    """Why the rule was not decided: a reason, the values of its template, and the exchanges."""

    reason: Reason
    values: Mapping[str, object] = field(default_factory=dict)
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement, compiled from a scenario.

    `id` is its path and its selection syntax ("chat.stream.done"); `group` is the id without its last part. `source`
    names its source, `why` the clients that break, `steps` are the text of its scenario. `needs` are the ids of the
    rules that it depends on: if one of them is broken, this one's finding follows from it. `since` is the first rule
    set with this rule, `until` the last one, None if the newest has it.
    """

    id: str
    title: str
    level: Level
    source: str
    why: str
    steps: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    since: str = FIRST_SET
    until: str | None = None

    @property
    def group(self) -> str:
        """The id without its last part."""
        return self.id.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why a baseline accepts a broken rule, and until which day (ISO 8601), if it expires."""

    reason: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A rule and its verdict, as data.

    A broken rule has the `expected` and the `actual` value, found in `broken` of `looked_at` places; refused and
    undecided ones are not counted. A passed one has at least one of `witnesses`. Any other verdict has a reason
    (`because`). `waived` is set if the baseline waives the rule; `cause` is the id of the cause that explains the
    finding, if any.
    """

    rule: Rule
    verdict: Verdict
    expected: str | None = None
    actual: str | None = None
    evidence: tuple[Evidence, ...] = ()
    because: Because | None = None
    witnesses: tuple[Witness, ...] = ()
    broken: int = 0
    looked_at: int = 0
    waived: Waiver | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """One defect of a target, the cause of one or several broken rules.

    `id` is the name of a known kind of fault ("cumulative-deltas"), else the id of the rule that shows it; `title`
    describes it, `seen` the observation, and `breaks` the clients that break on it. `rules` are the ids of the broken
    rules that follow from it, the most specific one first; `undecided` those that it leaves undecided. `evidence` is
    the exchange that shows it, with the offending bytes if they are in one place.
    """

    id: str
    title: str
    seen: str
    breaks: str
    rules: tuple[str, ...]
    undecided: tuple[str, ...] = ()
    evidence: Evidence | None = None
