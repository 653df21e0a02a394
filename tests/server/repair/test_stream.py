"""The pipeline as a whole: what is passed on, when, and how a stream ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.errors import UpstreamError
from gonogo_server.repair.base import Requested
from gonogo_server.repair.documents import frame
from gonogo_server.repair.stream import StreamRepair
from server.repair.gateway import NOW, chunks, streamed, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document

DONE = b"data: [DONE]\n\n"
CHAT = Requested("chat", "m", stream=True, fresh_id="chatcmpl-fresh", now=NOW)
COUNTED = Requested("chat", "m", stream=True, include_usage=True, fresh_id="chatcmpl-fresh", now=NOW)
TEXT = Requested("completion", "m", stream=True, fresh_id="cmpl-fresh", now=NOW)
HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": NOW, "model": "m"}
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def piece(delta: Any, reason: str | None = None, index: int = 0, **more: Any) -> Document:  # noqa: ANN401 - JSON
    return {**HEAD, "choices": [{"index": index, "delta": delta, "finish_reason": reason}], **more}


FIRST, LAST = piece({"role": "assistant", "content": ""}), piece({}, "stop")
HI = piece({"content": "Hi"})


def event(value: Any) -> bytes:  # noqa: ANN401 - JSON
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def events(values: Iterable[Any]) -> bytes:
    return b"".join(map(event, values))


def through(
    data: bytes,
    asked: Requested = CHAT,
    **more: Any,  # noqa: ANN401
) -> tuple[bytes, list[str], UpstreamError | None]:
    noted: list[str] = []
    out, error = streamed([data], StreamRepair(asked, noted.append, **more))
    assert error is None or isinstance(error, UpstreamError)
    return out, noted, error


def test_a_right_stream_keeps_its_bytes() -> None:
    data = events([FIRST, HI, LAST]) + DONE
    assert through(data) == (data, [], None)


def test_chunks_go_on_as_they_come_and_only_the_last_is_kept_until_the_end() -> None:
    repair = StreamRepair(CHAT, lambda _: None)
    assert [list(map(frame, repair.feed(event(one)))) for one in (FIRST, HI, LAST)] == [
        [event(FIRST)],
        [event(HI)],
        [],
    ]
    assert repair.finished
    assert not repair.done
    assert list(map(frame, repair.feed(DONE))) == []
    assert repair.done
    assert list(map(frame, repair.end())) == [event(LAST)]


def test_done_that_is_missing_behind_a_finish_reason_is_noted() -> None:
    data = events([FIRST, HI, LAST])
    assert through(data) == (data + DONE, ["chat.stream.done"], None)


@pytest.mark.parametrize("done", [DONE * 2, b"data: [done]\n\n", b'data: "[DONE]"\n\n', b"[DONE]\n\n"])
def test_done_is_sent_once_in_any_spelling(done: bytes) -> None:
    data = events([FIRST, HI, LAST])
    out, noted, error = through(data + done)
    assert (out, error) == (data + DONE, None)
    assert noted


@pytest.mark.parametrize(
    "data",
    [
        b"",
        DONE,
        b": ping\n\n",
        events([FIRST, HI]),
        events([FIRST, HI]) + DONE,
        events([FIRST, HI, LAST, piece({"content": "Ho"}, index=1)]) + DONE,
        event(HEAD | {"choices": [], "usage": USAGE}) + DONE,
        b"<html>no</html>",
    ],
)
def test_an_answer_without_its_end_is_never_completed(data: bytes) -> None:
    out, _, error = through(data)
    assert error is not None
    assert error.status == 502
    assert b"[DONE]" not in out
    assert text_of(chunks(out)[:-1]) == text_of(
        chunks(data.replace(b": ping\n\n", b"")) if b"data" in data else []
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (event({"error": {"message": "It broke.", "type": "server_error"}}), "It broke."),
        (event({"error": "It broke."}), "It broke."),
        (event({"object": "error", "message": "It broke.", "code": 500}), "It broke."),
        (
            event({"type": "error", "error": {"type": "overloaded_error", "message": "It broke."}}),
            "It broke.",
        ),
        (event({"detail": "It broke."}), "It broke."),
        (b"event: error\n" + event({"message": "It broke."}), "It broke."),
        (b"event: error\ndata: It broke.\n\n", "It broke."),
        (event({**HI, "error": {"message": "It broke."}}), "It broke."),
    ],
)
def test_an_error_in_a_stream_ends_it_behind_what_was_said(data: bytes, message: str) -> None:
    begun = events([FIRST, HI])
    out, _, error = through(begun + data + DONE)
    assert error is not None
    assert str(error) == message
    assert out.startswith(begun)
    assert chunks(out)[-1]["error"]["message"] == message


def test_no_text_is_lost_that_waited_when_the_stream_failed() -> None:
    failing = event({"error": "It broke."})
    snapshots = [piece({"content": text}) for text in ("a", "aa", "aaa")]
    out, _, _ = through(events([FIRST, *snapshots]) + failing)
    assert chunks(out)[:-1] == [FIRST, *snapshots]
    last = {"index": 0, "text": "Hi", "finish_reason": "stop", "logprobs": None}
    out, _, _ = through(event({**HEAD, "object": "text_completion", "choices": [last]}) + failing, TEXT)
    assert chunks(out)[0]["choices"] == [{**last, "finish_reason": None}]
    out, _, _ = through(events([FIRST, HI, LAST]) + failing)
    assert chunks(out)[:-1] == [FIRST, HI]


def test_held_chunks_are_released_if_the_connection_breaks() -> None:
    repair = StreamRepair(CHAT, lambda _: None)
    null = piece({"role": "assistant", "content": None})
    assert list(repair.feed(event(null))) == []
    assert list(repair.give_up()) == [null]
    assert list(repair.give_up()) == []


def test_a_whole_answer_becomes_a_stream() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "ring", "arguments": "{}"}}
    message = {"role": "assistant", "content": "Hi", "refusal": None, "tool_calls": [call]}
    body = {
        **HEAD,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}],
        "usage": USAGE,
    }
    for data in (json.dumps(body).encode(), json.dumps(body, indent=1).encode()):
        out, noted, error = through(data, COUNTED, media_type="application/json")
        assert error is None
        said, last, counted = chunks(out)
        assert said["choices"][0]["delta"] == {**message, "tool_calls": [{"index": 0, **call}]}
        assert (said["object"], said["choices"][0]["finish_reason"]) == ("chat.completion.chunk", None)
        assert last["choices"][0] == {
            "index": 0,
            "delta": {},
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
        assert (counted["choices"], counted["usage"]) == ([], USAGE)
        assert noted[0] == "stream.content_type"


def test_lines_of_json_become_a_stream() -> None:
    data = b"".join(json.dumps(one).encode() + b"\n" for one in (FIRST, HI, LAST))
    out, _, error = through(data, media_type="application/x-ndjson")
    assert (chunks(out), error) == ([FIRST, HI, LAST], None)


@pytest.mark.parametrize(
    "both",
    [
        b"data: " + json.dumps(FIRST).encode() + json.dumps(HI).encode() + b"\n\n",
        b"data: " + json.dumps(FIRST).encode() + b"\ndata: " + json.dumps(HI).encode() + b"\n\n",
        event([FIRST, HI]),
    ],
)
def test_two_chunks_in_one_event_are_two_events(both: bytes) -> None:
    out, noted, error = through(both + event(LAST) + DONE)
    assert (chunks(out), error) == ([FIRST, HI, LAST], None)
    assert "stream.json" in noted


def test_log_lines_in_the_stream_are_removed() -> None:
    data = events([FIRST, HI, LAST]) + DONE
    assert through(b"data: loading model\n\n" + data) == (data, ["stream.json"], None)


@pytest.mark.parametrize(
    "bad", [b'data: {"id": \n\n', b"data: {'a': open}\n\n", b'data: {"a": Infinity}\n\n']
)
def test_unreadable_json_ends_the_stream(bad: bytes) -> None:
    _, _, error = through(event(FIRST) + bad + event(LAST) + DONE)
    assert error is not None
    assert error.code == "upstream_unreadable"


def test_usage_after_done_is_moved_before_it() -> None:
    noted: list[str] = []
    repair = StreamRepair(COUNTED, noted.append)
    list(repair.feed(events([FIRST, HI, LAST]) + DONE))
    assert not repair.done
    counted = {**HEAD, "choices": [], "usage": USAGE}
    assert list(repair.feed(event(counted))) == [LAST]
    assert repair.done
    assert list(repair.end()) == [counted]
    assert noted == ["stream.done_last"]


class Upper:
    def chunk(self, chunk: Document) -> Iterable[Document]:
        assert all({"index", "delta", "finish_reason"} <= choice.keys() for choice in chunk["choices"])
        return ({**chunk, "seen": True},)

    def end(self) -> Iterable[Document]:
        return ({"last": True},)


def test_more_stages_run_behind_the_repairs() -> None:
    out, _, error = through(event({"choices": [{"text": "Hi", "finish_reason": "stop"}]}), more=[Upper()])
    assert error is None
    assert [chunk.get("seen") or chunk["last"] for chunk in chunks(out)] == [True, True, True]


def test_names_that_json_has_twice_are_written_once_where_that_is_asked_for() -> None:
    data = (events([FIRST, HI, LAST]) + DONE).replace(b'"object":', b'"object":"x","object":')
    out, _, error = through(data, rewrite=True)
    assert error is None
    assert out.count(b'"object":') == 3


def test_half_a_surrogate_pair_stays_escaped_where_a_chunk_is_written_anew() -> None:
    data = (
        event(FIRST)
        + b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"},"finish_reason":null}]}\n\n'
    )
    out, _, error = through(data + event(LAST) + DONE)
    assert error is None
    assert b"\\ud83d" in out
