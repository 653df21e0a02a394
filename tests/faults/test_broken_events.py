"""One unreadable event is one cause: rules judge the other events, or follow from that cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo.faults.catalogue.event_streams import STREAMS
from gonogo.faults.editing import changed, cut, frames, nth, put
from gonogo.judge import explain
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.fault import Rejudge
    from gonogo.faults.editing import Edit

LAST = -2  # [DONE] comes after it


def _at(number: int, edit: Callable[[bytes], bytes]) -> Edit:
    def change(old: list[bytes]) -> list[bytes]:
        new = list(old)
        new[number] = edit(new[number])
        return new

    return frames(change)


def _finishing(edit: Callable[[bytes], bytes]) -> Edit:
    return frames(lambda old: [edit(frame) if b'"finish_reason":"' in frame else frame for frame in old])


def _cut(frame: bytes) -> bytes:
    return frame[:-9] + b"\n\n"


BROKEN: dict[str, tuple[Edit, str]] = {
    "a last chunk that is cut": (_at(LAST, _cut), "stream.json"),
    "a last chunk that is an array": (_at(LAST, lambda _: b"data: []\n\n"), "stream.json"),
    "a last chunk with NaN": (
        _at(LAST, lambda f: f.replace(b'"created":', b'"x":NaN,"created":')),
        "stream.json",
    ),
    "a finishing chunk that is cut": (_finishing(_cut), "stream.json"),
    "a last chunk without data:": (_at(LAST, lambda f: f.removeprefix(b"data: ")), "stream.fields"),
    "no blank line before [DONE]": (_at(LAST, lambda f: f[:-1]), "two-events-in-one"),
    "an end in the last chunk": (frames(lambda old: [*old[:LAST], old[LAST][:-9]]), "stream-cut"),
    "no choices in the last chunk": (nth(LAST, cut("choices")), "chat.stream.choices"),
    "null as the last choices": (nth(LAST, put("choices", None)), "chat.stream.choices"),
    "text as the last usage": (nth(LAST, put("usage", "none")), "chat.stream.usage"),
}


@pytest.mark.parametrize(("edit", "cause"), BROKEN.values(), ids=BROKEN)
def test_an_event_that_cannot_be_read_leaves_no_rule_open_without_its_cause(
    edit: Edit, cause: str, rejudge: Rejudge
) -> None:
    record = changed(STREAMS, edit)(rejudge.clean)
    judgements, causes = explain(tuple(rejudge(record).values()), record)
    assert [one.rule.id for one in judgements if one.verdict is Verdict.INCONCLUSIVE] == []
    named = {found.id for found in causes}
    assert cause in named
    # A difference that both operations share is one cause; a field of one of them is another cause.
    assert named <= {cause, cause.replace("chat.", "completions.")}


@pytest.mark.parametrize("name", ["a last chunk that is cut", "a last chunk without data:"])
def test_the_remaining_events_are_judged(name: str, rejudge: Rejudge) -> None:
    record = changed(STREAMS, BROKEN[name][0])(rejudge.clean)
    found = rejudge(record)
    kept = (
        "chat.stream.done",
        "chat.stream.role_first",
        "chat.stream.text",
        "text.same",
        "stop.stream.honoured",
    )
    assert {rule: found[rule].verdict for rule in kept} == dict.fromkeys(kept, Verdict.PASS)
