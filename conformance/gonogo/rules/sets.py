"""Rule sets: the rules as of a month, so that a new gonogo does not turn a green run red.

A rule is in all sets from the one that introduced it (`Since:` in its scenario, by default the first set) to the last
one that has it (`Until:`, by default the newest). To make a rule stricter, a new rule with a new id is added in the
next set; the old one stays in its sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo.errors import UsageError
from gonogo.verdict import FIRST_SET

if TYPE_CHECKING:
    from gonogo.verdict import Rule


@dataclass(frozen=True, slots=True)
class RuleSets:
    """The names of all sets, oldest first; there is at least one."""

    names: tuple[str, ...]

    @property
    def newest(self) -> str:
        """The default set."""
        return self.names[-1]

    def named(self, name: str | None) -> str:
        """The set of this name, or the newest. Raises UsageError, which lists the known ones, for an unknown name."""
        if name is None:
            return self.newest
        if name not in self.names:
            known = (
                f"the only rule set is {self.newest}"
                if len(self.names) == 1
                else (f"the rule sets are {', '.join(self.names)}")
            )
            raise UsageError(f'--rules "{name}" is not a rule set of this gonogo; {known}.')
        return name

    def holds(self, name: str, rule: Rule) -> bool:
        """Whether the set of this name contains the rule."""
        last = self.newest if rule.until is None else rule.until
        return self.names.index(rule.since) <= self.names.index(name) <= self.names.index(last)


SETS = RuleSets((FIRST_SET,))
