"""The keys of generated cases: the part of a case that an evidence file stores.

"fuzz 7/31 valid POST /chat/completions" is case 31 of seed 7. Whether a generated request matches the contract is
decided when it is sent, and stored in its key, so that a judge needs neither the generator nor its version.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gonogo.stimuli import bodies
from gonogo.stimuli.extra import with_extra
from gonogo.stimuli.stimulus import Endpoint, Risk, Stimulus

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.exchange import Request

OF_SCHEMATHESIS = "fuzz"
GROUPS = ("robustness", OF_SCHEMATHESIS)
"""The groups of rules that read only these cases: our own, and the checks of Schemathesis."""

_KEY = re.compile(r"fuzz (?P<seed>\d+)/(?P<number>[\d.]+) (?P<meant>[a-z]+) (?P<operation>[A-Z]+ /\S*)")


class Meant(StrEnum):
    """The expected treatment of a generated request."""

    VALID = "valid"  # the contract allows it; no part of it depends on the model
    INVALID = "invalid"  # the contract does not allow it
    ODD = "odd"  # may be accepted or refused
    METHOD = "method"  # the path does not have this method
    KEYLESS = "keyless"  # an accepted request, repeated without the key of the run or with a wrong one


@dataclass(frozen=True, slots=True)
class Case:
    """The parts of a key. `number` counts the cases of the seed; "31.2" is the second attempt to shrink case 31."""

    seed: int
    number: str
    meant: Meant
    operation: str

    @property
    def key(self) -> str:
        """The key of the stimulus."""
        return f"fuzz {self.seed}/{self.number} {self.meant} {self.operation}"


@functools.lru_cache(maxsize=1 << 15)
def case(key: str) -> Case | None:
    """The case of a key; None if it is the key of something else."""
    found = _KEY.fullmatch(key)
    if found is None or found["meant"] not in list(Meant):
        return None
    return Case(int(found["seed"]), found["number"], Meant(found["meant"]), found["operation"])


def rest(seed: int) -> Case:
    """Stands for all cases that an interrupted pass did not reach."""
    return Case(seed, "0", Meant.ODD, "GET /models")


def is_fuzzed(key: str) -> bool:
    """Whether an exchange with this key is a case of a fuzz pass."""
    return case(key) is not None


def was_fuzzed(record: Record) -> bool:
    """Whether the run of this record had a fuzz pass, even one that could send nothing."""
    keys = (*(exchange.stimulus for exchange in record.exchanges), *record.unsent)
    return any(is_fuzzed(key) for key in keys)


def stimulus(what: Case, request: Request, tokens: int) -> Stimulus:
    """The request of a case; `tokens` is the maximum that it can generate."""
    return Stimulus(
        key=what.key,
        endpoint=Endpoint.OTHER,
        build=lambda subject, _answers: with_extra(request, subject.extra),
        valid=False,
        risk=Risk.HOSTILE,
        tokens=tokens,
    )


def trace(key: str) -> Stimulus:
    """The stimulus of a recorded case for a judge: without an operation, so that only its own rules read it."""
    known = bodies.list_models()
    return Stimulus(key=key, endpoint=Endpoint.OTHER, build=known.build, valid=False, risk=Risk.HOSTILE)
