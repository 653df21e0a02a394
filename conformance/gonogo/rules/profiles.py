"""Profiles: the rules and groups that a kind of user needs from an endpoint; `profiles.toml` lists them."""

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
    """A profile: its rules, and those of them that must not be refused.

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
    """All profiles, in the listed order."""
    text = (resources.files("gonogo.rules") / "profiles.toml").read_text(encoding="utf-8")
    return tuple(
        Profile(
            name, table["title"], *(tuple(table.get(key, ())) for key in ("rules", "without", "requires"))
        )
        for name, table in tomllib.loads(text).items()
    )


def named(names: Iterable[str]) -> tuple[Profile, ...]:
    """The profiles with these names. Raises UsageError, which lists the known ones, for an unknown name."""
    known = {profile.name: profile for profile in profiles()}
    wanted = tuple(dict.fromkeys(names))
    for name in wanted:
        if name not in known:
            raise UsageError(f'--profile "{name}" is not a profile; the profiles are {", ".join(known)}.')
    return tuple(known[name] for name in wanted)


def lies_under(rule_id: str, selector: str) -> bool:
    """Whether a selector names this rule, or a group that contains it."""
    return rule_id == selector or rule_id.startswith(selector + ".")


def lies_under_any(rule_id: str, selectors: Iterable[str]) -> bool:
    """Whether one of the selectors names this rule, or a group that contains it."""
    return any(lies_under(rule_id, selector) for selector in selectors)
