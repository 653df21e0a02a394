"""The ideal target meets the contract: its schemas, every rule, and the requirements beyond the schemas."""

from __future__ import annotations

import asyncio
import json
import struct
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import gonogo_contract
import jsonschema_rs
import pytest
from gonogo import sse
from gonogo.exchange import Exchange, Request
from gonogo.judge import judge
from gonogo.reasons import Reason
from gonogo.report.wording import message
from gonogo.stimuli.bodies import JSON_HEADERS
from gonogo.verdict import Verdict
from ideal.served import CHAT, EMBEDDING
from ideal.target import IdealTarget

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.rules import Catalogue

Json = dict[str, Any]

WHOLE = {
    "/models": "ModelList",
    "/chat/completions": "ChatCompletion",
    "/completions": "Completion",
    "/embeddings": "EmbeddingList",
    "/responses": "ResponseObject",
    "/responses/input_tokens": "ResponseInputTokens",
    "/messages": "Message",
    "/messages/count_tokens": "MessageTokenCount",
}
EVENTS = {"/chat/completions": "ChatCompletionSseStream", "/completions": "CompletionSseStream"}
QUESTION = [{"role": "user", "content": "Hello"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"enum": ["Bern"]}, "days": {"type": "integer", "minimum": 3}},
            "required": ["city", "days"],
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "clock"}}
REQUIRED = {"messages": QUESTION, "tools": [WEATHER, CLOCK], "tool_choice": "required"}
CONST = {"type": "object", "properties": {"word": {"const": "gonogo-7f3"}}, "required": ["word"]}
STRUCTURED = {
    "messages": QUESTION,
    "response_format": {"type": "json_schema", "json_schema": {"name": "w", "schema": CONST}},
}

# Kinds of answers that the current plan may not request.
REQUESTS: tuple[tuple[str, Json], ...] = (
    ("/chat/completions", {"messages": QUESTION}),
    (
        "/chat/completions",
        {"messages": QUESTION, "n": 3, "logprobs": True, "top_logprobs": 20, "max_tokens": 3},
    ),
    ("/chat/completions", REQUIRED),
    ("/chat/completions", REQUIRED | {"max_tokens": 4}),
    ("/chat/completions", STRUCTURED),
    ("/chat/completions", {"messages": QUESTION, "response_format": {"type": "json_object"}, "stop": "ë"}),
    ("/completions", {"prompt": ["a", "b"], "n": 2, "logprobs": 5, "echo": True}),
    ("/completions", {"prompt": [[72, 105], [0x1F389]], "best_of": 3, "max_tokens": 4}),
    ("/completions", {"prompt": "Hëllo", "max_tokens": 0, "echo": True, "logprobs": 0, "suffix": "!"}),
    ("/embeddings", {"input": ["a", "b"], "encoding_format": "base64", "dimensions": 8}),
    ("/embeddings", {"input": [[72, 105], [33]]}),
)


def ask(target: IdealTarget, path: str, body: Json | None = None, method: str = "POST") -> Exchange:
    model = {"model": EMBEDDING if path == "/embeddings" else CHAT}
    data = b"" if body is None else json.dumps(model | body).encode()
    request = Request(method, path, JSON_HEADERS, data)
    return asyncio.run(target.record(request, id="x", stimulus="test"))


def answered(path: str, body: Json) -> Any:  # noqa: ANN401 - JSON
    exchange = ask(IdealTarget(), path, body)
    assert exchange.status == 200, exchange.body
    return json.loads(exchange.body)


def events(path: str, body: Json) -> list[Json]:
    exchange = ask(IdealTarget(), path, body | {"stream": True})
    assert exchange.status == 200, exchange.body
    stream = sse.parse(exchange.body)
    assert stream.counts == {}
    return [{"data": event.data} for event in stream.events]


def chunks(path: str, body: Json) -> list[Json]:
    return [json.loads(event["data"]) for event in events(path, body)[:-1]]


def refusal(path: str, body: Json, status: int = 400) -> Json:
    exchange = ask(IdealTarget(), path, body)
    assert exchange.status == status
    error: Json = json.loads(exchange.body)["error"]
    return error


def fits(component: str, value: object) -> None:
    schema = gonogo_contract.component_schema(component)
    jsonschema_rs.validator_for(schema).validate(value)


def test_every_rule_passes_on_it(clean: Record, catalogue: Catalogue) -> None:
    found = judge(clean, tuple(catalogue), catalogue)
    others = {j.rule.id: (j.verdict, message(j)) for j in found if j.verdict is not Verdict.PASS}
    assert others == {}
    assert len(found) == len(catalogue)
    assert {because.reason for because in clean.unsent.values()} == {Reason.FEWER_MODELS, Reason.NOT_REFUSED}


@pytest.mark.parametrize(("path", "body"), REQUESTS)
def test_a_whole_answer_fits_its_schema(path: str, body: Json) -> None:
    fits(WHOLE[path], answered(path, body))


@pytest.mark.parametrize(("path", "body"), [r for r in REQUESTS if r[0] in EVENTS and "best_of" not in r[1]])
def test_a_stream_fits_its_schema(path: str, body: Json) -> None:
    found = events(path, body)
    fits(EVENTS[path], found)
    for event in found[:-1]:
        name = "ChatCompletionChunk" if path == "/chat/completions" else "CompletionChunk"
        fits(name, json.loads(event["data"]))


def test_recorded_exchanges_match_the_schemas(clean: Record) -> None:
    for exchange in clean.exchanges:
        if exchange.media_type != "application/json":
            continue
        body = json.loads(exchange.body)
        assert exchange.status is not None
        if exchange.status >= 400:
            of_messages = exchange.request.path.startswith("/messages")
            fits("MessageErrorEnvelope" if of_messages else "ErrorEnvelope", body)
        else:
            fits(WHOLE.get(exchange.request.path, "Model"), body)


def test_the_stream_and_the_complete_answer_are_equal() -> None:
    body = {"messages": QUESTION, "n": 2, "temperature": 0.7, "seed": 3, "max_tokens": 20}
    whole = [choice["message"]["content"] for choice in answered("/chat/completions", body)["choices"]]
    said = ["", ""]
    for chunk in chunks("/chat/completions", body):
        for choice in chunk["choices"]:
            said[choice["index"]] += choice["delta"].get("content") or ""
    assert said == whole
    assert any(ord(character) > 127 for text in whole for character in text)


def test_one_prompt_has_one_greedy_text_and_another_prompt_another() -> None:
    greedy = {"prompt": ["one", "two", "one"], "temperature": 0}
    first, second, third = (choice["text"] for choice in answered("/completions", greedy)["choices"])
    assert first == third != second


def test_generation_ends_before_a_stop_sequence() -> None:
    text = answered("/completions", {"prompt": "x", "temperature": 0, "max_tokens": 30})["choices"][0]["text"]
    stopped = answered(
        "/completions", {"prompt": "x", "temperature": 0, "max_tokens": 30, "stop": [text[4:7]]}
    )
    assert stopped["choices"][0]["text"] == text[:4]
    assert stopped["choices"][0]["finish_reason"] == "stop"


def test_a_bias_of_100_forces_a_token_and_penalties_repeat_less() -> None:
    forced = {"messages": QUESTION, "logit_bias": {str(ord("q")): 100}, "max_tokens": 4, "temperature": 0}
    assert answered("/chat/completions", forced)["choices"][0]["message"]["content"] == "qqqq"
    varied = forced | {"frequency_penalty": 2, "logit_bias": {str(ord("q")): 16}}
    assert answered("/chat/completions", varied)["choices"][0]["message"]["content"] != "qqqq"


def test_tools_are_called_as_the_choice_says() -> None:
    def names(**changes: object) -> list[str]:
        message = answered("/chat/completions", REQUIRED | changes)["choices"][0]["message"]
        return [call["function"]["name"] for call in message.get("tool_calls", ())]

    both = [{"role": "user", "content": "Call weather and clock"}]
    assert names() == ["weather"]
    assert names(tool_choice="none") == names(tool_choice="auto") == []
    assert names(tool_choice={"type": "function", "function": {"name": "clock"}}) == ["clock"]
    assert names(messages=both) == names(messages=both, tool_choice="auto") == ["weather", "clock"]
    assert names(messages=both, parallel_tool_calls=False) == ["weather"]


def test_streamed_fragments_make_up_the_call_of_the_whole_answer() -> None:
    (whole,) = answered("/chat/completions", REQUIRED)["choices"][0]["message"]["tool_calls"]
    fragments = [
        fragment
        for chunk in chunks("/chat/completions", REQUIRED)
        for choice in chunk["choices"]
        for fragment in choice["delta"].get("tool_calls", ())
    ]
    assert fragments[0]["function"]["name"] == whole["function"]["name"]
    assert json.loads(whole["function"]["arguments"]) == {"city": "Bern", "days": 3}
    assert "".join(f["function"]["arguments"] for f in fragments) == whole["function"]["arguments"]
    assert [f for f in fragments[1:] if "id" in f or "name" in f["function"]] == []


def test_calls_of_all_answers_have_ids_of_their_own() -> None:
    target = IdealTarget()
    ids = [
        json.loads(ask(target, "/chat/completions", REQUIRED).body)["choices"][0]["message"]["tool_calls"][0][
            "id"
        ]
        for _ in range(3)
    ]
    assert len(set(ids)) == 3


def test_a_schema_is_kept_or_refused() -> None:
    text = answered("/chat/completions", STRUCTURED)["choices"][0]["message"]["content"]
    assert json.loads(text) == {"word": "gonogo-7f3"}
    pattern = {"name": "w", "schema": {"type": "string", "pattern": "^x{3}$"}}
    form = {"type": "json_schema", "json_schema": pattern}
    error = refusal("/chat/completions", {"messages": QUESTION, "response_format": form})
    assert error["param"] == "response_format"


def test_logprobs_count_the_tokens_and_spell_the_text() -> None:
    body = {"messages": QUESTION, "logprobs": True, "top_logprobs": 3, "max_tokens": 9}
    answer = answered("/chat/completions", body)
    (choice,) = answer["choices"]
    entries = choice["logprobs"]["content"]
    assert len(entries) == answer["usage"]["completion_tokens"] == 9
    assert b"".join(bytes(entry["bytes"]) for entry in entries).decode() == choice["message"]["content"]
    assert all(len(entry["top_logprobs"]) == 3 and entry["logprob"] <= 0 for entry in entries)


def test_echoed_prompts_have_logprobs_but_the_first_token() -> None:
    body = {"prompt": "abc", "echo": True, "logprobs": 2, "max_tokens": 2}
    (choice,) = answered("/completions", body)["choices"]
    assert choice["text"].startswith("abc")
    logprobs = choice["logprobs"]
    assert "".join(logprobs["tokens"]) == choice["text"]
    assert logprobs["text_offset"] == [0, 1, 2, 3, 4]
    assert [value is None for value in logprobs["token_logprobs"]] == [True, False, False, False, False]


def test_both_forms_of_a_vector_are_equal() -> None:
    numbers = answered("/embeddings", {"input": "Hi", "dimensions": 4})["data"][0]["embedding"]
    same = answered("/embeddings", {"input": [72, 105], "dimensions": 4, "encoding_format": "base64"})
    assert list(struct.unpack("<4f", b64decode(same["data"][0]["embedding"]))) == numbers


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": QUESTION, "temperature": "warm"}, "temperature"),
        ({"messages": []}, "messages"),
        ({}, "messages"),
        ({"messages": QUESTION, "top_logprobs": 2}, "top_logprobs"),
        ({"messages": QUESTION, "stream_options": {}}, "stream_options"),
        ({"messages": QUESTION, "tool_choice": "required"}, "tool_choice"),
        ({"messages": QUESTION, "tools": [CLOCK, CLOCK]}, "tools"),
        ({"messages": QUESTION, "logit_bias": {"55555555": 1}}, "logit_bias"),
        (REQUIRED | {"tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice"),
        (
            {"messages": [*QUESTION, {"role": "tool", "content": "", "tool_call_id": "x"}]},
            "messages[1].tool_call_id",
        ),
        ({"messages": [*QUESTION, {"role": "assistant", "content": None}]}, "messages[1].content"),
        ({"messages": QUESTION, "max_tokens": 100_000}, "messages"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "http://x.invalid"}}],
                    }
                ]
            },
            "messages",
        ),
        ({"messages": QUESTION, "model": "nobody"}, "model"),
        ({"messages": QUESTION, "model": EMBEDDING}, "model"),
    ],
)
def test_invalid_fields_are_refused_by_name(body: Json, param: str) -> None:
    status = 404 if body.get("model") == "nobody" else 400
    assert refusal("/chat/completions", body, status)["param"] == param


@pytest.mark.parametrize(
    "changes", [{"best_of": 1, "n": 2}, {"best_of": 2, "stream": True}, {"stream_options": {}}]
)
def test_invalid_combinations_in_completions_are_refused(changes: Json) -> None:
    assert refusal("/completions", {"prompt": "x"} | changes)["param"] in changes


def test_too_many_dimensions_and_unknown_fields_of_embeddings_are_refused() -> None:
    assert refusal("/embeddings", {"input": "x", "dimensions": 999})["param"] == "dimensions"
    refusal("/embeddings", {"input": "x", "color": "red"})


def test_a_history_of_calls_and_a_choice_of_allowed_tools_are_taken() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
    history = [
        *QUESTION,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "12:00"}]},
    ]
    choice = {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "clock"}}]},
    }
    answer = answered("/chat/completions", {"messages": history, "tools": [CLOCK], "tool_choice": choice})
    assert answer["choices"][0]["finish_reason"] == "stop"


def test_http_is_kept() -> None:
    target = IdealTarget()
    preflight = ask(target, "/chat/completions", method="OPTIONS")
    assert (preflight.status, preflight.header("access-control-allow-origin")) == (204, "*")
    wrong = ask(target, "/models", method="DELETE")
    assert (wrong.status, wrong.header("allow")) == (405, "GET, OPTIONS")
    assert ask(target, "/nowhere", method="GET").status == 404
    assert ask(target, "/models/org%2Fideal-embedder", method="GET").status == 200
    large = Request("POST", "/chat/completions", JSON_HEADERS, b" " * 9_000_000)
    assert asyncio.run(target.record(large, id="x", stimulus="test")).status == 413
    text = Request("POST", "/chat/completions", (("content-type", "text/plain"),), b"{}")
    assert asyncio.run(target.record(text, id="x", stimulus="test")).status == 415
