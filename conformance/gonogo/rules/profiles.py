"""Profiles: what a kind of user needs of an endpoint, as rules and groups of rules; `profiles.toml` lists them."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from gonogo.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile: the rules that belong to it, and those of them that must not be refused.

    `rules`, `without` and `requires` are ids of rules or of groups of rules.
    """

    name: str
    title: str
    rules: tuple[str, ...]
    without: tuple[str, ...]
    requires: tuple[str, ...]

    def covers(self, rule_id: str) -> bool:
        """Whether a rule belongs to the profile."""
        return lies_under_any(rule_id, self.rules) and not lies_under_any(rule_id, self.without)


@functools.cache
def profiles() -> tuple[Profile, ...]:
    """Every profile, in the order in which they are listed."""
    text = (resources.files("gonogo.rules") / "profiles.toml").read_text(encoding="utf-8")
    return tuple(
        Profile(
            name, table["title"], *(tuple(table.get(key, ())) for key in ("rules", "without", "requires"))
        )
        for name, table in tomllib.loads(text).items()
    )


def named(names: Iterable[str]) -> tuple[Profile, ...]:
    """The profiles of these names; raises UsageError, with those there are, for a name that is none."""
    known = {profile.name: profile for profile in profiles()}
    wanted = tuple(dict.fromkeys(names))
    for name in wanted:
        if name not in known:
            raise UsageError(f'--profile "{name}" is not a profile; the profiles are {", ".join(known)}.')
    return tuple(known[name] for name in wanted)


def lies_under(rule_id: str, selector: str) -> bool:
    """Whether a rule is the one that a selector names, or in the group that it names."""
    return rule_id == selector or rule_id.startswith(selector + ".")


def lies_under_any(rule_id: str, selectors: Iterable[str]) -> bool:
    """Whether a rule is, or lies under, one of the selectors."""
    return any(lies_under(rule_id, selector) for selector in selectors)
