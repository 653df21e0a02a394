"""The plan of a run: every stimulus once, ordered by risk, with its maximum of generated tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo.stimuli.life import baselines
from gonogo.stimuli.stimulus import Risk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo.rules import Scenario
    from gonogo.stimuli.stimulus import Stimulus


@dataclass(frozen=True, slots=True)
class Plan:
    """The stimuli of a run, harmless ones first, each after those it needs. Ids are given in this order."""

    stimuli: tuple[Stimulus, ...]

    @property
    def requests(self) -> int:
        """The number of requests to send, without the signs of life and the two requests of the greeting."""
        return len(self.stimuli)

    @property
    def tokens(self) -> int:
        """The maximum number of tokens that the target may generate."""
        return sum(stimulus.tokens for stimulus in self.stimuli)

    @property
    def quiet(self) -> tuple[Stimulus, ...]:
        """Harmless stimuli without generation, which do not affect batching."""
        return tuple(stimulus for stimulus in self.stage(Risk.HARMLESS) if not stimulus.tokens)

    def stage(self, risk: Risk, *, alone: bool = False) -> tuple[Stimulus, ...]:
        """The stimuli of one risk that are sent in parallel, or those that must be sent alone."""
        return tuple(s for s in self.stimuli if s.risk is risk and s.alone is alone)


def plan(scenarios: Iterable[Scenario]) -> Plan:
    """The plan with all requests of these scenarios.

    If it has hostile requests, the plain requests that serve as signs of life are sent before them.
    """
    wanted = [stimulus for scenario in scenarios for stimulus in scenario.stimuli]
    if any(stimulus.risk is not Risk.HARMLESS for stimulus in wanted):
        wanted = [*baselines(), *wanted]
    unique: dict[str, Stimulus] = {}
    for stimulus in wanted:
        unique.setdefault(stimulus.key, stimulus)
    return Plan(tuple(sorted(unique.values(), key=lambda s: (s.risk, s.alone))))
