from __future__ import annotations

import json
from dataclasses import replace

import pytest
from gonogo.exchange import Chunk, Exchange, Failure, FailureKind, Request
from gonogo.reasons import Reason
from gonogo.stimuli.observed import pieces
from gonogo.stimuli.repeatable import greedy
from gonogo.stimuli.stimulus import Endpoint, NotPossible, Subject
from gonogo.stimuli.stopping import (
    NEVER,
    across_a_border,
    begun_at_the_end,
    earliest_is_last,
    stopped,
)
from gonogo.verdict import Because

SPOKEN = ["One", ", two", ", three", ", four", ", five", ", six"]


def stream(*deltas: object, status: int | None = 200, failure: Failure | None = None) -> Exchange:
    frames = [f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n" for delta in deltas]
    body = "".join([*frames, "data: [DONE]\n\n"]).encode()
    headers = (("content-type", "text/event-stream"),)
    return Exchange("x1", "s", Request("POST", "/"), status, headers, (Chunk(0.0, body),), failure, 0.0)


def said(*texts: str) -> Exchange:
    return stream(*({"content": text} for text in texts))


def test_the_part_lies_across_a_border_in_the_middle_of_the_text() -> None:
    text = "".join(SPOKEN)
    stop = across_a_border(SPOKEN)
    place = text.index(stop)
    borders = [len("".join(SPOKEN[:n])) for n in range(1, len(SPOKEN))]
    assert any(place < border < place + len(stop) for border in borders)
    assert place > 0
    assert place + len(stop) <= borders[-1]
    assert stop.strip() == stop
    assert text[:place].rstrip() == text[:place]


def test_a_text_in_one_piece_is_cut_in_its_middle() -> None:
    assert across_a_border(["abcdefgh"]) == "cdef"


def test_a_text_that_occurs_twice_is_not_a_stop_sequence() -> None:
    text = ["ab", "ab", "abxy", "zz"]
    stop = across_a_border(text)
    assert "".join(text).count(stop) == 1


@pytest.mark.parametrize("text", [["a"], ["ab", "ab"], ["aaaa", "aaaa"], [" ", " ", " "]])
def test_a_text_without_a_fit_part_is_left_alone(text: list[str]) -> None:
    with pytest.raises(NotPossible) as stop:
        across_a_border(text)
    assert stop.value.because == Because(Reason.NO_FIT_STOP, {"text": "".join(text)})


def test_plain_letters_are_preferred_and_broken_ones_never_taken() -> None:
    assert across_a_border(["über", "müde", "kalt", "nass"]).isascii()
    with pytest.raises(NotPossible):
        across_a_border(["a\ufffd", "\ufffdb"])


def test_the_last_of_the_list_comes_first_in_the_text() -> None:
    never, later, stop = earliest_is_last(SPOKEN)
    text = "".join(SPOKEN)
    assert never == NEVER
    assert text.index(stop) < text.index(later)
    assert earliest_is_last(["abcdefgh"])[-1] == "cdef"


def test_a_stop_that_never_comes_begins_at_the_end() -> None:
    assert begun_at_the_end(SPOKEN) == "ix" + NEVER


def test_the_stop_goes_into_the_greedy_request() -> None:
    stimulus = stopped(Endpoint.CHAT, "here", across_a_border)
    answers = {need.key: said(*SPOKEN) for need in stimulus.needs}
    body = stimulus.build(Subject("m"), answers).json
    assert isinstance(body, dict)
    assert (body["temperature"], body["stop"]) == (0, across_a_border(SPOKEN))


def answered(*texts: str, stop: object = None) -> Exchange:
    request = Request("POST", "/", body=json.dumps({"stop": stop}).encode())
    return replace(said(*texts), request=request)


@pytest.mark.parametrize(
    ("texts", "stop", "expected"),
    [
        (("One, ",), "two", True),
        (("One,",), "two", True),
        (("One",), "two", False),
        (("One, two, three",), "two", False),
        (("One, two, three",), "never", True),
        (("One, two,",), "never", False),
        (("One, ",), ["three", "two"], True),
        (("Two",), None, False),
    ],
)
def test_a_text_that_was_cut_is_like_the_greedy_one_up_to_the_first_stop(
    texts: tuple[str, ...],
    stop: object,
    expected: bool,  # noqa: FBT001 - parametrised
) -> None:
    like = stopped(Endpoint.CHAT, "here", across_a_border).like
    assert like is not None
    assert like.base == greedy(Endpoint.CHAT).key
    assert like.holds(said("One, two, ", "three"), answered(*texts, stop=stop)) is expected


def test_an_unrepeatable_text_gives_no_stop_sequence() -> None:
    stimulus = stopped(Endpoint.CHAT, "here", across_a_border)
    first, again = (need.key for need in stimulus.needs)
    answers = {first: said("One", " two"), again: replace(said("One", " too"), id="x2")}
    with pytest.raises(NotPossible) as stop:
        stimulus.build(Subject("m"), answers)
    assert stop.value.because == Because(Reason.NOT_REPEATED, about=("x1", "x2"))


def test_pieces_are_those_of_the_first_choice() -> None:
    assert pieces(said("a", "", "b")) == ["a", "b"]
    assert pieces(stream({"role": "assistant", "content": None}, {"content": "a"})) == ["a"]


@pytest.mark.parametrize(
    ("exchange", "reason", "values"),
    [
        (stream(status=404), Reason.OTHER_STATUS, {"status": 404}),
        (stream(status=None), Reason.OTHER_STATUS, {"status": None}),
        (
            stream({"content": "a"}, failure=Failure(FailureKind.RESET, 0.0, "gone")),
            Reason.NOT_WHOLE,
            {"failure": "gone"},
        ),
        (stream(), Reason.NO_TEXT, {}),
        (stream({}, None), Reason.NO_TEXT, {}),
        (stream({"reasoning_content": "Hm"}), Reason.ALL_REASONING, {}),
        (stream({"reasoning": "Hm", "content": ""}), Reason.ALL_REASONING, {}),
    ],
)
def test_an_answer_without_text_says_why(
    exchange: Exchange, reason: Reason, values: dict[str, object]
) -> None:
    with pytest.raises(NotPossible) as stop:
        pieces(exchange)
    assert stop.value.because == Because(reason, values, ("x1",))


@pytest.mark.parametrize("body", [b"data: x\n\n", b"data: []\n\n", b'data: {"choices": null}\n\n', b""])
def test_unreadable_bodies_have_no_text(body: bytes) -> None:
    broken = Exchange("x1", "s", Request("POST", "/"), 200, (), (Chunk(0.0, body),), None, 0.0)
    with pytest.raises(NotPossible):
        pieces(broken)
