"""All undocumented parts of Schemathesis that are used. A test compares these names with the pinned version, so that a
missing name fails in the tests and not in a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemathesis.core import NOT_SET
from schemathesis.core.errors import InvalidSchema
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.meta import CaseMetadata, CoverageScenario, GenerationInfo, PhaseInfo
from schemathesis.specs.openapi import checks

if TYPE_CHECKING:
    import schemathesis

__all__ = [
    "NOT_SET",
    "FailureGroup",
    "FeedbackSources",
    "InvalidSchema",
    "Ok",
    "check_named",
    "probing_methods",
]


def check_named(name: str) -> schemathesis.CheckFunction:
    """A check of Schemathesis by its name. Raises AttributeError if there is none."""
    found: schemathesis.CheckFunction = getattr(checks, name)
    return found


def probing_methods(mode: schemathesis.GenerationMode) -> Any:  # noqa: ANN401 - the type that a case expects
    """The metadata of a case that probes an undescribed method of a path."""
    phase = PhaseInfo.coverage(CoverageScenario.UNSPECIFIED_HTTP_METHOD, description="")
    return CaseMetadata(generation=GenerationInfo(time=0.0, mode=mode), components={}, phase=phase)
