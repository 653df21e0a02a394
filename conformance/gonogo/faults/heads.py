"""Faults in the status line and headers of an answer, for every operation with a body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.faults.editing import changed, header, status
from gonogo.faults.fault import Fault, fault

if TYPE_CHECKING:
    from gonogo.faults.picks import Pick


def wrong_heads(what: str, group: str, pick: Pick) -> tuple[Fault, ...]:
    """Answers with 201, and answers declared as plain text; `what` names them, `group` is the group of the rules."""
    return (
        fault(
            f"{what} answered with 201",
            "NestJS answers every POST with 201 unless told otherwise",
            f"{group}.status",
            changed(pick, status(201)),
        ),
        fault(
            f"{what} as text/plain",
            "EricLBuehler/mistral.rs#79",
            f"{group}.content_type",
            changed(pick, header("content-type", "text/plain")),
        ),
    )
