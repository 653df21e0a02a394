"""The budget of a fuzz pass, and its remainder."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from gonogo.errors import UsageError

MAIN_SHARE = 0.8
"""The share of a budget for new cases; the rest is for minimising failing ones."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one pass, whichever is reached first.

    `seconds` of wall time, `cases` sent, and `tokens` generated: the server's count or the requested limit, whichever
    is higher.
    """

    seconds: int = 120
    cases: int = 1000
    tokens: int = 4000

    @classmethod
    def parse(cls, text: str) -> Budget:
        """The budget of "cases=200,seconds=30"; other limits keep their default. Raises UsageError for anything
        else.
        """
        names = [field.name for field in fields(cls)]
        given: dict[str, int] = {}
        for part in filter(None, text.split(",")):
            name, _, number = part.strip().partition("=")
            if name not in names or not number.isdecimal() or not 0 < int(number) < 10**9 or name in given:
                example = ",".join(f"{field.name}={field.default}" for field in fields(cls))
                raise UsageError(f'"{text}" is not a --fuzz-budget; give one like {example}.')
            given[name] = int(number)
        return replace(cls(), **given)

    def __str__(self) -> str:
        """The budget in words."""
        return f"at most {self.cases} cases, {self.tokens} generated tokens, {self.seconds} s"


@dataclass(slots=True)
class Purse:
    """The remaining cases and tokens."""

    cases: int
    tokens: int

    @classmethod
    def of(cls, budget: Budget, share: float = 1.0) -> Purse:
        """A whole budget, or a share of it."""
        return cls(max(1, int(budget.cases * share)), int(budget.tokens * share))

    def affords(self, tokens: int) -> bool:
        """Whether one more case with this number of tokens is within the budget."""
        return self.cases > 0 and self.tokens >= tokens

    def pay(self, tokens: int) -> None:
        """Subtract a case and its tokens."""
        self.cases -= 1
        self.tokens -= tokens
