"""Families of texts: requests whose texts are compared; the reference comes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo.stimuli.stimulus import NotPossible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gonogo.exchange import Exchange
    from gonogo.stimuli.stimulus import Stimulus


@dataclass(frozen=True, slots=True)
class Family:
    """`members` are the stimuli whose text is compared with that of `base`, in the order of the plan."""

    base: Stimulus
    members: tuple[Stimulus, ...]

    def agrees(self, member: Stimulus, answers: Mapping[str, Exchange]) -> bool:
        """Whether a text agrees with that of the base; true if one of them is missing."""
        base, own = answers.get(self.base.key), answers.get(member.key)
        if base is None or own is None or member.like is None:
            return True
        try:
            return member.like.holds(base, own)
        except NotPossible:
            return True

    def all_agree(self, answers: Mapping[str, Exchange]) -> bool:
        """Whether all texts agree, so that none was changed by batching or a fault."""
        return all(self.agrees(member, answers) for member in self.members)


def families(stimuli: Iterable[Stimulus]) -> list[Family]:
    """The families of a plan; a base that is not in the plan is replaced by the first member in the plan."""
    found: dict[str, list[Stimulus]] = {}
    for stimulus in stimuli:
        if stimulus.like is not None:
            found.setdefault(stimulus.like.base, []).append(stimulus)
    return [_family(key, members) for key, members in found.items()]


def _family(key: str, kin: list[Stimulus]) -> Family:
    base = next((stimulus for stimulus in kin if stimulus.key == key), kin[0])
    return Family(base, tuple(stimulus for stimulus in kin if stimulus is not base))
