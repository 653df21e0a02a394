"""Whole answers: missing or deviating members are repaired and noted; correct answers keep their bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.errors import UpstreamError
from gonogo_server.repair import documents, models
from gonogo_server.repair.base import Requested
from gonogo_server.repair.body import read, repaired
from gonogo_server.repair.fold import fold
from server.repair import gateway
from server.repair.gateway import NOW, chunks
from server.repair.test_stream import DONE, FIRST, HEAD, HI, LAST, USAGE, event, events, piece

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo_server.repair.base import Document

CHAT = Requested("chat", "m", fresh_id="chatcmpl-fresh", now=NOW)
TEXT = Requested("completion", "m", fresh_id="cmpl-fresh", now=NOW)
VECTORS = Requested("embedding", "m", now=NOW)
MESSAGE = {"role": "assistant", "content": "Hi", "refusal": None}
CALL = {"id": "call_1", "type": "function", "function": {"name": "ring", "arguments": "{}"}}
CALLING = {**MESSAGE, "content": None, "tool_calls": [CALL]}


def chat(message: Any = MESSAGE, reason: Any = "stop", **choice: Any) -> Document:  # noqa: ANN401
    whole = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason, **choice}
    return {**HEAD, "object": "chat.completion", "choices": [whole], "usage": USAGE}


def text(**choice: Any) -> Document:  # noqa: ANN401
    whole = {"index": 0, "text": "Hi", "logprobs": None, "finish_reason": "stop", **choice}
    return {**HEAD, "object": "text_completion", "choices": [whole], "usage": USAGE}


def vectors(*entries: Any, **fields: Any) -> Document:  # noqa: ANN401
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return {"object": "list", "data": list(entries), "model": "m", "usage": usage, **fields}


def vector(index: int = 0, **fields: Any) -> Document:  # noqa: ANN401
    return {"object": "embedding", "index": index, "embedding": [0.5, -1.0], **fields}


def mended(value: Any, asked: Requested = CHAT) -> tuple[Document, set[str]]:  # noqa: ANN401
    noted: list[str] = []
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    found = json.loads(documents.body(repaired(asked, data, noted.append)))
    return found, set(noted)


def less(value: Document, name: str) -> Document:
    return {key: one for key, one in value.items() if key != name}


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        (chat(), CHAT),
        (chat(CALLING, "tool_calls"), CHAT),
        (chat(reason="length"), CHAT),
        (less(chat(), "usage"), CHAT),
        (text(), TEXT),
        (vectors(vector(), vector(1)), VECTORS),
    ],
)
def test_a_right_answer_keeps_its_bytes(value: Document, asked: Requested) -> None:
    noted: list[str] = []
    data = json.dumps(value, indent=2).encode()
    assert documents.body(repaired(asked, data, noted.append)) == data
    assert noted == []


def test_every_answer_of_a_sound_server_keeps_its_bytes(clean: Record) -> None:
    wholes = [e for e in clean.exchanges if e.status == 200 and not e.is_stream and e.body.startswith(b"{")]
    assert len(wholes) > 80
    for exchange in wholes:
        noted: list[str] = []
        assert gateway.repaired(exchange, noted.append).body == exchange.body, exchange.stimulus
        assert noted == [], exchange.stimulus


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({**chat(), "id": None}, "id"),
        ({**chat(), "id": ""}, "id_not_empty"),
        ({**chat(), "object": "chat.completions"}, "object"),
        ({**chat(), "created": NOW * 1000}, "seconds"),
        ({**chat(), "created": NOW + 0.5}, "created"),
        ({**chat(), "created": str(NOW)}, "created"),
        (less(chat(), "created"), "created"),
        (less(chat(), "model"), "model"),
        ({**chat(), "model": ""}, "model_not_empty"),
        ({**chat(), "choices": {"0": chat()["choices"][0]}}, "choices"),
        ({**chat(), "choices": [*chat()["choices"], {**chat()["choices"][0], "index": 1}]}, "one_choice"),
        (chat(index=None), "index"),
        (chat(index="0"), "index"),
        (chat(index=1), "indexes"),
        ({**chat(), "choices": [less(chat(delta=MESSAGE)["choices"][0], "message")]}, "message"),
        (chat("Hi"), "message"),
        (chat(less(MESSAGE, "role")), "role"),
        (chat({**MESSAGE, "role": "model"}), "role"),
        (chat({**MESSAGE, "content": [{"type": "text", "text": "Hi"}]}), "content"),
        (chat(less(MESSAGE, "refusal")), "refusal"),
        (chat({**MESSAGE, "refusal": 0.1}), "refusal"),
        (chat({**MESSAGE, "tool_calls": []}), "tool_calls"),
        (chat({**MESSAGE, "tool_calls": None}), "nulls"),
        (chat({**MESSAGE, "annotations": {}}), "message"),
        (chat({**MESSAGE, "annotations": None}), "nulls"),
        (chat(reason="eos_token"), "finish_reason"),
        (chat(reason="tool_calls"), "finish_called"),
        ({**chat(), "choices": [less(chat()["choices"][0], "logprobs")]}, "logprobs"),
        ({**chat(), "service_tier": "turbo"}, "rest"),
        ({**chat(), "error": None}, "rest"),
        ({**chat(), "usage": {**USAGE, "total_tokens": 0}}, "usage_total"),
        ({**chat(), "usage": less(USAGE, "total_tokens")}, "usage_schema"),
        ({**chat(), "usage": {**USAGE, "completion_tokens": None}}, "usage_schema"),
        ({**chat(), "usage": {**USAGE, "prompt_tokens": "5"}}, "usage_schema"),
        ({**chat(), "usage": {**USAGE, "prompt_tokens_details": None}}, "nulls"),
    ],
)
def test_defects_of_a_chat_completion_are_repaired(wrong: Document, rule: str) -> None:
    found, noted = mended(wrong)
    right = {**chat(), "id": found["id"]}
    assert found == right
    assert found["id"] in ("chatcmpl-1", "chatcmpl-fresh")
    assert f"chat.response.{rule}" in noted


def test_an_object_that_says_more_than_the_api_does_keeps_it() -> None:
    wrong = chat({**MESSAGE, "reasoning_content": "Hm", "role": "model"}, vendor=1)
    wrong["system_fingerprint"] = 7
    found, _ = mended(wrong)
    assert found["choices"][0]["message"]["reasoning_content"] == "Hm"
    assert (found["choices"][0]["vendor"], found["system_fingerprint"]) == (1, "7")


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({**CALL, "id": None}, "id"),
        ({**CALL, "id": ""}, "id_not_empty"),
        ({**CALL, "type": "tool"}, "type"),
        (less(CALL, "type"), "type"),
        ({**CALL, "index": 0}, "no_index"),
        ({**CALL, "function": {"name": "ring", "arguments": {}}}, "arguments"),
        ({**CALL, "function": {"name": "ring", "arguments": None}}, "arguments"),
        ({**CALL, "function": {"name": "ring"}}, "arguments"),
    ],
)
def test_defects_of_a_call_are_repaired(wrong: Document, rule: str) -> None:
    found, noted = mended(chat({**CALLING, "tool_calls": [wrong]}, "tool_calls"))
    (call,) = found["choices"][0]["message"]["tool_calls"]
    assert call == {**CALL, "id": call["id"]}
    assert call["id"] in ("call_1", "call_chatcmpl-fresh_0_0")
    assert noted == {f"tools.call.{rule}"}


@pytest.mark.parametrize("reason", ["stop", "function_call", None, ""])
def test_an_answer_with_calls_ends_in_tool_calls(reason: object) -> None:
    assert mended(chat(CALLING, reason))[0] == chat(CALLING, "tool_calls")


def test_a_single_call_object_becomes_a_list() -> None:
    found, noted = mended(chat({**CALLING, "tool_calls": CALL}, "tool_calls"))
    assert (found, noted) == (chat(CALLING, "tool_calls"), {"tools.call.schema"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"},
        {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"},
        {"index": 0, "message": "Hi", "finish_reason": "stop"},
        {"index": 0, "text": [{"type": "text", "text": "H"}, "i"], "finish_reason": "stop"},
        {"text": "Hi", "finish_reason": "stop"},
    ],
)
def test_a_completion_gets_its_text(wrong: Document) -> None:
    assert mended({**text(), "choices": [wrong]}, TEXT)[0] == text()


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"null",
        b"7",
        b"Hello",
        b'{"choices": [',
        b"<html>",
        {"choices": []},
        {"choices": None},
        {},
        {"error": {"message": "No."}},
        {"error": "No."},
        {"detail": "No."},
        chat(reason=None),
        chat(reason="error"),
        chat(None),
        {**chat(), "choices": ["Hi"]},
        chat({**CALLING, "tool_calls": [{"id": "x"}]}),
        b'{"choices": [{"message": {"content": Infinity}}]}',
        json.dumps(chat()).encode() + b"{}",
    ],
)
def test_a_body_that_is_not_an_answer_is_an_error(value: Any) -> None:  # noqa: ANN401
    with pytest.raises(UpstreamError):
        mended(value)


def test_an_unreadable_text_is_an_error_and_not_dropped() -> None:
    for asked, value in ((TEXT, text(text=7)), (CHAT, chat({**MESSAGE, "content": 7}))):
        with pytest.raises(UpstreamError, match="sent content that is not text"):
            mended(value, asked)


def test_how_an_answer_is_written_does_not_matter() -> None:
    data = json.dumps(chat()).encode()
    assert mended(b"\xef\xbb\xbf" + data)[0] == chat()
    assert mended(data + b"\ndata: [DONE]\n\n") == (chat(), {"chat.response.json"})
    assert mended(data.replace(b'"logprobs": null', b'"logprobs": NaN')) == (chat(), {"chat.response.json"})
    twice = data.replace(b'"object":', b'"object": "x", "object":')
    assert mended(twice) == (chat(), {"http.names"})
    assert documents.body(repaired(CHAT, twice, lambda _: None)).count(b'"object":') == 1


def test_a_stream_sent_instead_is_folded() -> None:
    sent = [FIRST, HI, piece({"content": " you"}), LAST, {**HEAD, "choices": [], "usage": USAGE}]
    found, noted = mended(events(sent) + DONE)
    assert found == chat({**MESSAGE, "content": "Hi you"})
    assert "chat.response.content_type" in noted


def test_calls_and_log_probabilities_of_a_stream_are_joined() -> None:
    token = {"token": "Hi", "logprob": -0.5, "bytes": None, "top_logprobs": []}
    first = piece({"tool_calls": [{"index": 0, **CALL, "function": {"name": "ring", "arguments": ""}}]})
    later = piece({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]})
    for chunk in (first, later):
        chunk["choices"][0]["logprobs"] = {"content": [token], "refusal": None}
    found, _ = mended(events([FIRST, first, later, piece({}, "tool_calls")]))
    (choice,) = found["choices"]
    assert choice["message"] == CALLING
    assert choice["logprobs"] == {"content": [token, token], "refusal": None}
    assert "usage" not in found


@pytest.mark.parametrize("data", [events([FIRST, HI]) + DONE, events([FIRST]) + event({"error": "No."})])
def test_a_stream_that_came_instead_and_did_not_end_is_an_error(data: bytes) -> None:
    with pytest.raises(UpstreamError):
        mended(data)


def test_every_stream_of_a_sound_server_says_the_same_put_together(clean: Record) -> None:
    for exchange in clean.exchanges:
        if exchange.status == 200 and exchange.body.startswith(b"data:") and exchange.body.endswith(DONE):
            found = chunks(exchange.body)
            if "error" in found[-1]:
                continue
            asked = CHAT if exchange.request.path == "/chat/completions" else TEXT
            whole = fold(asked, found)
            for choice in whole["choices"]:
                said = [c for chunk in found for c in chunk["choices"] if c["index"] == choice["index"]]
                pieces = [c["delta"].get("content") if "delta" in c else c["text"] for c in said]
                assert "".join(filter(None, pieces)) == (
                    choice["message"]["content"] if "message" in choice else choice["text"] or ""
                ) or not any(pieces)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (less(vectors(vector()), "object"), "object"),
        (less(vectors(vector()), "model"), "model"),
        (vectors(vector(), model=""), "model_not_empty"),
        (vectors(less(vector(), "object")), "entry_object"),
        (vectors(less(vector(), "index")), "index"),
        (vectors(vector(index=1)), "indexes"),
        (vectors([0.5, -1.0]), "entry_object"),
        (vectors(vector(embedding=[[0.5, -1.0]])), "vector"),
        (vectors(vector(), usage={"prompt_tokens": 3, "total_tokens": 4}), "usage_total"),
        (vectors(vector(), usage={"prompt_tokens": 3}), "usage"),
    ],
)
def test_defects_of_embeddings_are_repaired(wrong: Document, rule: str) -> None:
    found, noted = mended(wrong, VECTORS)
    assert found == vectors(vector())
    assert f"embeddings.response.{rule}" in noted


def test_vectors_have_the_form_that_was_asked_for() -> None:
    packed = "AAAAPwAAgL8="  # 0.5 and -1.0 as 32-bit floats, little-endian
    as_text = Requested("embedding", "m", now=NOW, base64=True)
    assert mended(vectors(vector()), as_text) == (
        vectors(vector(embedding=packed)),
        {"embeddings.format.base64"},
    )
    assert mended(vectors(vector(embedding=packed)), VECTORS) == (
        vectors(vector()),
        {"embeddings.format.default"},
    )
    right = vectors(vector(embedding=packed))
    assert mended(right, as_text) == (right, set())


@pytest.mark.parametrize("embedding", [None, [], "", "***", "AAAA", ["x"], {}])
def test_an_unreadable_vector_is_an_error(embedding: object) -> None:
    with pytest.raises(UpstreamError):
        mended(
            vectors(vector(embedding=embedding)),
            Requested("embedding", "m", base64=isinstance(embedding, list)),
        )


MODEL = {"id": "a", "object": "model", "created": NOW, "owned_by": "lab"}


def listed(value: Any) -> Document:  # noqa: ANN401
    found = read(json.dumps(value).encode(), lambda _: None)
    return models.model_list(found, lambda _: None, owner="lab", since=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"object": "list", "data": [MODEL]},
        {"data": [{"id": "a"}]},
        {"models": [{"name": "a"}]},
        {"object": "models", "data": [MODEL, MODEL]},
        {"data": {"a": {"object": "model"}}},
        {"data": ["a", {}, None]},
        [{"id": "a", "created": NOW * 1000, "owned_by": None, "shutdown_date": 7}],
    ],
)
def test_a_list_of_models_gets_its_form(wrong: object) -> None:
    found = listed(wrong)
    assert found["object"] == "list"
    assert found["data"] == [{**MODEL, **({"name": "a"} if "models" in wrong else {})}]  # type: ignore[operator] # JSON


def test_a_list_without_models_is_empty_and_anything_else_is_an_error() -> None:
    assert listed({"object": "list", "data": None})["data"] == []
    for wrong in ({"data": 7}, {"error": "No."}):
        with pytest.raises(UpstreamError):
            listed(wrong)


def test_a_single_model_gets_its_form() -> None:
    def one(document: Document) -> Document:
        return models.model(document, lambda _: None, owner="lab", since=NOW)

    assert one(MODEL) is MODEL
    assert one({"id": "a"}) == MODEL
    assert one({**MODEL, "created": 0})["created"] == 0
    for wrong in ({}, {"object": "list", "data": []}, {"detail": "Not Found"}):
        with pytest.raises(UpstreamError):
            one(wrong)


@pytest.mark.parametrize("given", [1, 3])
def test_vectors_that_are_fewer_or_more_than_the_inputs_are_an_error(given: int) -> None:
    body = json.dumps(vectors(*(vector(number) for number in range(given)))).encode()
    asked = Requested("embedding", "m", now=NOW, inputs=2)
    with pytest.raises(UpstreamError, match=f"{given} vectors for 2 inputs"):
        repaired(asked, body, lambda _: None)
