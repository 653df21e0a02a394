"""Rule sets: the rules as of a month, so that a new gonogo does not turn a green run red.

A rule is in every set from that in which it came (`Since:` in its scenario, the first set if there is none) to the last
that has it (`Until:`, the newest if there is none). A rule that is to ask for more gets another id and the next set;
the old one stays for the sets that have it.
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
    """The names of all sets, the oldest first; there is at least one."""

    names: tuple[str, ...]

    @property
    def newest(self) -> str:
        """The set that is used where none is named."""
        return self.names[-1]

    def named(self, name: str | None) -> str:
        """The set of this name, or the newest; UsageError, with those there are, where it is none."""
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
        """Whether the set of this name has the rule."""
        last = self.newest if rule.until is None else rule.until
        return self.names.index(rule.since) <= self.names.index(name) <= self.names.index(last)


SETS = RuleSets((FIRST_SET,))
