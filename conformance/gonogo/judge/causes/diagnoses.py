"""All known kinds of defects, in the order in which they are tried: more general ones come first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.judge.causes import answers, counts, ignored, refusals, streams, surfaces

if TYPE_CHECKING:
    from gonogo.judge.causes.diagnosis import Diagnosis

DIAGNOSES: Final[tuple[Diagnosis, ...]] = (
    *refusals.EMPTY,
    *answers.DIED,
    *ignored.CANNED,
    *refusals.PARAMETER,
    *streams.DIAGNOSES,
    *surfaces.DIAGNOSES,
    *answers.TEXTS,
    *refusals.FORMS,
    *ignored.LIMIT,
    *counts.DIAGNOSES,
    *ignored.PARAMETERS,
    *refusals.VALUES,
    *ignored.ZERO,
    *answers.VECTORS,
    *answers.ACCEPTANCE,
    *refusals.CRASHES,
)
