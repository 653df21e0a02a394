"""Every known kind of fault, in the order in which they are looked for: what explains more comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.judge.causes import answers, counts, ignored, refusals, streams

if TYPE_CHECKING:
    from gonogo.judge.causes.diagnosis import Diagnosis

DIAGNOSES: Final[tuple[Diagnosis, ...]] = (
    *refusals.DIAGNOSES[:1],
    *answers.DIAGNOSES[:1],
    *ignored.DIAGNOSES[:1],
    *streams.DIAGNOSES,
    *refusals.DIAGNOSES[1:],
    *counts.DIAGNOSES,
    *ignored.DIAGNOSES[1:],
    *answers.DIAGNOSES[1:],
)
