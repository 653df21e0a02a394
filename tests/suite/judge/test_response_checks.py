"""Single checks of responses: failed responses, and invalid counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gonogo.judge.checks.response_counts import usage_has
from gonogo.judge.checks.response_streams import carries_events
from gonogo.judge.outcome import Deviation, Kept, Stop, Undecided
from gonogo.reasons import Reason
from suite.judge.exchanges import answer_to, stream_to

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "error", "code": "server_error", "message": "No.", "param": None}],
        [{"type": "error", "error": {"message": "No."}}],
    ],
    ids=["flat", "as in chat"],
)
def test_a_stream_that_only_says_that_it_failed_leaves_open_whether_events_of_a_response_come(
    events: Iterable[Json],
) -> None:
    with pytest.raises(Stop) as stopped:
        carries_events(stream_to("/responses", events))
    assert isinstance(stopped.value.outcome, Undecided)
    assert stopped.value.outcome.reason is Reason.ERROR_FRAME


def test_a_stream_of_other_events_carries_none_of_a_response() -> None:
    found = carries_events(stream_to("/responses", [{"type": "chat.completion.chunk"}]))
    assert isinstance(found, Deviation)


@pytest.mark.parametrize(
    ("value", "kept"),
    [(0, True), (7, True), (-1, False), (False, False), (True, False), ("7", False), (0.0, False)],
)
def test_a_count_of_tokens_is_a_whole_number_from_0(value: object, kept: bool) -> None:  # noqa: FBT001 - a case
    found = usage_has(answer_to("/responses", {"usage": {"input_tokens": value}}), names="input_tokens")
    assert isinstance(found, Kept) is kept
