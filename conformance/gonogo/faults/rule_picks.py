"""Picks of the exchanges of a rule's requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.faults.picks import asked
from gonogo.rules import load
from gonogo.stimuli.phrases import Ask

if TYPE_CHECKING:
    from gonogo.faults.picks import Pick

_LOOKS = {scenario.rule.id: scenario.looks for scenario in load()}


def first(rule_id: str) -> Pick:
    """The exchange of the rule's first request."""
    return asked(keys(rule_id)[0])


def last(rule_id: str) -> Pick:
    """The exchange of the rule's last request."""
    return asked(keys(rule_id)[-1])


def every(rule_id: str) -> Pick:
    """The exchanges of all requests of the rule."""
    return asked(*keys(rule_id))


def keys(rule_id: str) -> list[str]:
    """The keys of the rule's requests, in order."""
    return [look.stimulus.key for look in _LOOKS[rule_id] if isinstance(look, Ask)]


def under(prefix: str) -> list[str]:
    """The ids of the rules of one group."""
    return [rule_id for rule_id in _LOOKS if rule_id.rpartition(".")[0] == prefix]
