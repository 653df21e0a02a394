"""The API as clients see it, answered by a scripted engine: what is honoured, what is refused, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.base import ModelCard
from gonogo_server.engine.scripted import VOCABULARY, Failure, ScriptedEngine
from gonogo_server.errors import EngineDied
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import httpx2
    from gonogo_server.engine.base import Generation, Piece

    Body = dict[str, Any]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

USER = {"role": "user", "content": "Hi"}
ANSWER = "Hello! How can I help you today?"


def chat(**changes: object) -> Body:
    return {"model": "scripted", "messages": [USER], **changes}


def text(**changes: object) -> Body:
    return {"model": "scripted", "prompt": "Hi", **changes}


async def refused(
    client: httpx2.AsyncClient, path: str, body: Body, status: int = 400
) -> dict[str, str | None]:
    """The error object of a request that is refused."""
    response = await client.post(path, json=body)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()["error"]


# ---- models ----------------------------------------------------------------------------------------------


async def test_models_lists_what_is_served_in_order(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await client.get("/models")
    assert response.status_code == 200
    keeps_contract("ModelList", response.json())
    assert [model["id"] for model in response.json()["data"]] == ["scripted", "org/scripted"]
    assert response.json()["data"][0]["context_length"] == 4096


async def test_models_tell_their_type_and_context_and_whether_they_are_loaded(
    client: httpx2.AsyncClient, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = (ModelCard("talker", "chat", 4096, 0), ModelCard("vectors", "embedding", 256, 0, loaded=False))
    monkeypatch.setattr(engine, "cards", lambda: cards)
    listed = (await client.get("/models")).json()["data"]
    assert [(one["id"], one["type"], one["context_length"], one["loaded"]) for one in listed] == [
        ("talker", "chat", 4096, True),
        ("vectors", "embedding", 256, False),
    ]


@pytest.mark.parametrize("path", ["/models/org/scripted", "/models/org%2Fscripted"])
async def test_a_model_is_found_by_an_id_with_a_slash(
    client: httpx2.AsyncClient, keeps_contract: Check, path: str
) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    keeps_contract("Model", response.json())
    assert response.json()["id"] == "org/scripted"


@pytest.mark.parametrize("path", ["/models/other", "/models/", "/models/scripted/"])
async def test_a_model_that_is_not_served_is_not_found(
    client: httpx2.AsyncClient, keeps_contract: Check, path: str
) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    keeps_contract("ErrorEnvelope", response.json())
    assert response.json()["error"]["code"] == "model_not_found"
    assert response.json()["error"]["param"] == "model"


async def test_head_is_answered_like_get(client: httpx2.AsyncClient) -> None:
    response = await client.head("/models")
    assert response.status_code == 200


# ---- chat completions ------------------------------------------------------------------------------------


async def test_chat_answers_with_the_message_and_its_cost(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await client.post("/chat/completions", json=chat())
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    keeps_contract("ChatCompletion", answer)
    assert answer["model"] == "scripted"
    assert answer["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": ANSWER, "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    prompt = len("user: Hi\nassistant: ") + 1
    assert answer["usage"] == {
        "prompt_tokens": prompt,
        "completion_tokens": 33,
        "total_tokens": prompt + 33,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


@pytest.mark.parametrize("limit", [{"max_tokens": 5}, {"max_completion_tokens": 5}])
async def test_a_limit_ends_the_answer_with_length(client: httpx2.AsyncClient, limit: Body) -> None:
    answer = (await client.post("/chat/completions", json=chat(**limit))).json()
    assert answer["choices"][0]["message"]["content"] == "Hello"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 5


async def test_the_newer_limit_wins_where_both_are_given(client: httpx2.AsyncClient) -> None:
    answer = (await client.post("/chat/completions", json=chat(max_tokens=5, max_completion_tokens=2))).json()
    assert answer["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize(("stop", "content"), [("How", "Hello! "), (["today", " can"], "Hello! How")])
async def test_an_answer_ends_before_a_stop_string(
    client: httpx2.AsyncClient, stop: str | list[str], content: str
) -> None:
    answer = (await client.post("/chat/completions", json=chat(stop=stop))).json()
    assert answer["choices"][0]["message"]["content"] == content
    assert answer["choices"][0]["finish_reason"] == "stop"


async def test_sampling_is_passed_to_the_engine(client: httpx2.AsyncClient, engine: ScriptedEngine) -> None:
    await client.post("/chat/completions", json=chat(temperature=0, top_p=0.5, seed=-7, max_tokens=1))
    sampling = engine.generations[0].sampling
    assert (sampling.temperature, sampling.top_p, sampling.seed) == (0.0, 0.5, -7)


async def test_sampling_has_the_defaults_of_the_api(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    await client.post("/chat/completions", json=chat(temperature=None, max_tokens=1))
    sampling = engine.generations[0].sampling
    assert (sampling.temperature, sampling.top_p, sampling.seed) == (1.0, 1.0, None)


async def test_without_a_limit_an_answer_may_fill_the_context(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    await client.post("/chat/completions", json=chat())
    generation = engine.generations[0]
    assert len(generation.prompt) + generation.max_tokens == 4096


async def test_every_role_and_form_of_text_reaches_the_model(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    messages = [
        {
            "role": "developer",
            "content": [{"type": "text", "text": "Be "}, {"type": "text", "text": "brief."}],
        },
        {"role": "user", "content": "Hi", "name": "Ann"},
        {"role": "assistant", "content": [{"type": "text", "text": "Yes?"}]},
        {"role": "user", "content": [{"type": "text", "text": "Bye"}]},
        {"role": "assistant", "content": None, "refusal": "I would rather not."},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}], "tool_calls": []},
    ]
    response = await client.post("/chat/completions", json=chat(messages=messages))
    assert response.status_code == 200
    prompt = bytes(token for token in engine.generations[0].prompt if token < 256).decode()
    assert prompt == (
        "system: Be brief.\nuser (Ann): Hi\nassistant: Yes?\nuser: Bye\n"
        "assistant: I would rather not.\nassistant: No.\nassistant: "
    )


async def test_two_answers_have_two_ids(client: httpx2.AsyncClient) -> None:
    first = (await client.post("/chat/completions", json=chat(max_tokens=1))).json()
    second = (await client.post("/chat/completions", json=chat(max_tokens=1))).json()
    assert first["id"] != second["id"]


NEUTRAL = [
    {"n": 1},
    {"n": None},
    {"n": 1.0},
    {"logprobs": False},
    {"logprobs": None, "top_logprobs": None},
    {"logprobs": True, "top_logprobs": None},
    {"frequency_penalty": 0, "presence_penalty": 0.0},
    {"logit_bias": {}},
    {"logit_bias": None},
    {"tools": []},
    {"tool_choice": "none"},
    {"response_format": {"type": "text"}},
    {"reasoning_effort": "none"},
    {"parallel_tool_calls": True},
    {"stop": None},
    {"stream": False},
    {"stream_options": None},
    {"user": "ann", "store": True, "service_tier": "auto", "safety_identifier": "a", "prompt_cache_key": "k"},
    {"metadata": {"a": "b"}},
    {"max_tokens": 3.0},
]


@pytest.mark.parametrize("changes", NEUTRAL, ids=str)
async def test_what_asks_for_nothing_more_is_accepted(client: httpx2.AsyncClient, changes: Body) -> None:
    response = await client.post("/chat/completions", json=chat(**changes))
    assert response.status_code == 200, response.text


TOOL = {"type": "function", "function": {"name": "f"}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}

NOT_YET = [
    ({"reasoning_effort": "high"}, "reasoning_effort"),
    ({"stream": True, "stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
]


@pytest.mark.parametrize(("changes", "param"), NOT_YET, ids=str)
async def test_what_is_not_there_yet_is_refused_by_name_and_not_ignored(
    client: httpx2.AsyncClient, engine: ScriptedEngine, changes: Body, param: str
) -> None:
    error = await refused(client, "/chat/completions", chat(**changes))
    assert error["param"] == param
    assert error["code"] == "unsupported_parameter"
    assert not engine.generations


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"top_logprobs": 2, "logprobs": False}, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}, "tools": []}, "tool_choice"),
        ({"stop": ""}, "stop"),
        ({"stop": ["a", ""]}, "stop[1]"),
        ({"metadata": {str(number): "" for number in range(17)}}, "metadata"),
        (
            {"messages": [USER, {"role": "tool", "tool_call_id": "c1", "content": "1"}]},
            "messages[1].tool_call_id",
        ),
    ],
    ids=str,
)
async def test_what_the_schema_cannot_say_is_refused_all_the_same(
    client: httpx2.AsyncClient, changes: Body, param: str
) -> None:
    error = await refused(client, "/chat/completions", chat(**changes))
    assert error["param"] == param
    assert error["code"] == "invalid_value"


async def test_an_image_is_refused_where_it_stands(client: httpx2.AsyncClient) -> None:
    parts = [{"type": "text", "text": "Look:"}, IMAGE]
    error = await refused(client, "/chat/completions", chat(messages=[{"role": "user", "content": parts}]))
    assert error["param"] == "messages[0].content[1].type"


async def test_an_assistant_that_said_nothing_is_refused(client: httpx2.AsyncClient) -> None:
    error = await refused(client, "/chat/completions", chat(messages=[USER, {"role": "assistant"}]))
    assert error["param"] == "messages[1].content"
    assert error["code"] == "missing_required_parameter"


async def test_what_the_template_refuses_is_a_bad_request(client: httpx2.AsyncClient) -> None:
    error = await refused(
        client, "/chat/completions", chat(messages=[USER, {"role": "system", "content": "Be brief."}])
    )
    assert error["param"] == "messages"


@pytest.mark.parametrize(
    "changes",
    [{"messages": [{"role": "user", "content": "x" * 5000}]}, {"max_tokens": 4090}],
    ids=["prompt", "both"],
)
async def test_what_does_not_fit_the_context_is_refused(client: httpx2.AsyncClient, changes: Body) -> None:
    error = await refused(client, "/chat/completions", chat(**changes))
    assert error["code"] == "context_length_exceeded"
    assert error["param"] == "messages"
    assert "4096 tokens" in error["message"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_that_is_not_served_is_a_404_streamed_or_not(
    client: httpx2.AsyncClient, keeps_contract: Check, *, stream: bool
) -> None:
    for path, body in (("/chat/completions", chat(model="gpt")), ("/completions", text(model="gpt"))):
        error = await refused(client, path, {**body, "stream": stream}, 404)
        keeps_contract("ErrorObject", error)
        assert (error["code"], error["param"], error["type"]) == (
            "model_not_found",
            "model",
            "invalid_request_error",
        )


# ---- completions -----------------------------------------------------------------------------------------


async def test_a_completion_has_sixteen_tokens_unless_told_otherwise(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await client.post("/completions", json=text())
    assert response.status_code == 200
    answer = response.json()
    keeps_contract("Completion", answer)
    assert answer["choices"] == [
        {"index": 0, "text": ANSWER[:16], "logprobs": None, "finish_reason": "length"}
    ]
    assert answer["usage"]["total_tokens"] == 19


async def test_a_completion_of_no_tokens_is_empty_and_asks_the_engine_for_nothing(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    answer = (await client.post("/completions", json=text(max_tokens=0))).json()
    assert answer["choices"][0]["text"] == ""
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 0
    assert not engine.generations


@pytest.mark.parametrize("engine", [ScriptedEngine(answer=str.upper)])
async def test_several_prompts_have_a_choice_each(client: httpx2.AsyncClient, keeps_contract: Check) -> None:
    answer = (await client.post("/completions", json=text(prompt=["one", "two"]))).json()
    keeps_contract("Completion", answer)
    assert [(choice["index"], choice["text"]) for choice in answer["choices"]] == [(0, "ONE"), (1, "TWO")]
    assert answer["usage"]["prompt_tokens"] == 8
    assert answer["usage"]["completion_tokens"] == 8


@pytest.mark.parametrize(
    "changes",
    [
        {"n": 1, "best_of": 1},
        {"echo": False, "suffix": None, "logprobs": None, "logit_bias": None},
        {"suffix": ""},
        {"max_tokens": None},
        {"user": "ann"},
        {"frequency_penalty": 0, "presence_penalty": None, "seed": 1, "temperature": 0, "top_p": 1},
    ],
    ids=str,
)
async def test_a_completion_accepts_what_asks_for_nothing_more(
    client: httpx2.AsyncClient, changes: Body
) -> None:
    response = await client.post("/completions", json=text(**changes))
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"prompt": [1, VOCABULARY]}, "prompt", "invalid_value"),
        ({"prompt": [[1, 2], [10**30]]}, "prompt", "invalid_value"),
        ({"prompt": []}, "prompt", "invalid_value"),
        ({"prompt": ["a"] * 103, "best_of": 20}, "prompt", "invalid_value"),
        ({"best_of": 1, "n": 2}, "best_of", "invalid_value"),
        ({"best_of": 0}, "best_of", "invalid_value"),
        ({"best_of": 3, "n": 2, "stream": True}, "best_of", "invalid_value"),
        ({"suffix": ".", "echo": True}, "suffix", "invalid_value"),
        ({"logprobs": 6}, "logprobs", "invalid_value"),
        ({"stream_options": {}}, "stream_options", "invalid_value"),
        ({"stop": [""]}, "stop[0]", "invalid_value"),
        ({"max_tokens": 5000}, "prompt", "context_length_exceeded"),
        ({"max_tokens": -1}, "max_tokens", "invalid_value"),
        ({"messages": [USER]}, "messages", "unknown_parameter"),
    ],
    ids=str,
)
async def test_a_completion_refuses_what_it_cannot_do(
    client: httpx2.AsyncClient, changes: Body, param: str, code: str
) -> None:
    error = await refused(client, "/completions", text(**changes))
    assert (error["param"], error["code"]) == (param, code)


class NoBegin(ScriptedEngine):
    """A model whose prompts begin with nothing, so that an empty text has no tokens."""

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        return (await super().encode(model, text))[1:]


@pytest.mark.parametrize("engine", [NoBegin()])
async def test_a_prompt_without_a_token_is_refused(client: httpx2.AsyncClient) -> None:
    error = await refused(client, "/completions", text(prompt=""))
    assert error["param"] == "prompt"


# ---- errors ----------------------------------------------------------------------------------------------


async def test_an_unknown_route_is_a_404_in_the_envelope(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await client.get("/nothing?here=1")
    assert response.status_code == 404
    keeps_contract("ErrorEnvelope", response.json())
    assert "GET /v1/nothing" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/chat/completions", {"POST"}),
        ("DELETE", "/completions", {"POST"}),
        ("PUT", "/embeddings", {"POST"}),
        ("POST", "/models", {"GET", "HEAD"}),
        ("OPTIONS", "/models/scripted", {"GET", "HEAD"}),
    ],
)
async def test_a_wrong_method_is_a_405_that_says_which_are_right(
    client: httpx2.AsyncClient, keeps_contract: Check, method: str, path: str, allowed: set[str]
) -> None:
    response = await client.request(method, path)
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == allowed
    keeps_contract("ErrorEnvelope", response.json())


async def test_a_body_not_declared_as_json_is_a_415(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await client.post("/completions", content=b"{}", headers={"content-type": "text/plain"})
    assert response.status_code == 415
    keeps_contract("ErrorEnvelope", response.json())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"model": NaN}'], ids=repr)
@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/embeddings"])
async def test_what_is_not_a_json_object_is_a_400(
    client: httpx2.AsyncClient, keeps_contract: Check, path: str, content: bytes
) -> None:
    response = await client.post(path, content=content, headers={"content-type": "application/json"})
    assert response.status_code == 400
    keeps_contract("ErrorEnvelope", response.json())


@pytest.mark.parametrize("settings", [Settings(max_body_bytes=100)])
async def test_a_body_over_the_limit_is_a_413(client: httpx2.AsyncClient, keeps_contract: Check) -> None:
    response = await client.post("/completions", json=text(prompt="x" * 100))
    assert response.status_code == 413
    keeps_contract("ErrorEnvelope", response.json())
    assert "100 bytes" in response.json()["error"]["message"]
    assert (await client.post("/completions", json=text())).status_code == 200


async def test_a_bug_is_a_500_that_tells_nothing_of_its_inside(
    client: httpx2.AsyncClient,
    engine: ScriptedEngine,
    keeps_contract: Check,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine.failure = Failure(0, ZeroDivisionError("secret"))
    response = await client.post("/chat/completions", json=chat())
    assert response.status_code == 500
    keeps_contract("ErrorEnvelope", response.json())
    assert response.json()["error"]["type"] == "server_error"
    assert "secret" not in response.text
    assert response.headers["x-should-retry"] == "false"
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("stream", [False, True])
async def test_an_engine_that_dies_before_the_first_piece_is_a_503(
    client: httpx2.AsyncClient, engine: ScriptedEngine, *, stream: bool
) -> None:
    engine.failure = Failure(0, EngineDied("The engine died; start the server again."))
    error = await refused(client, "/chat/completions", chat(stream=stream), 503)
    assert error["type"] == "service_unavailable_error"


class Silent(ScriptedEngine):
    """Ends its answers without a piece that says why."""

    async def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        for piece in ():
            yield piece


@pytest.mark.parametrize("engine", [Silent()])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_engine_that_ends_without_a_reason_is_a_500_and_not_an_empty_answer(
    client: httpx2.AsyncClient, *, stream: bool
) -> None:
    error = await refused(client, "/chat/completions", chat(stream=stream), 500)
    assert error["type"] == "server_error"


# ---- key, headers, web pages -----------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [Settings(api_key="s3cret")])
@pytest.mark.parametrize(
    "sent", [None, "Bearer other", "Bearer", "s3cret", "Basic s3cret", "Bearer schlüssel"]
)
async def test_without_the_key_every_operation_is_a_401(
    client: httpx2.AsyncClient, keeps_contract: Check, sent: str | None
) -> None:
    headers = {} if sent is None else {"authorization": sent.encode()}
    for method, path in (("GET", "/models"), ("GET", "/models/scripted"), ("POST", "/chat/completions")):
        response = await client.request(method, path, headers=headers)
        assert response.status_code == 401
        keeps_contract("ErrorEnvelope", response.json())
        assert response.json()["error"]["code"] == "invalid_api_key"
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("settings", [Settings(api_key="s3cret")])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_with_the_key_it_answers(client: httpx2.AsyncClient, scheme: str) -> None:
    assert (await client.get("/models", headers={"authorization": f"{scheme} s3cret"})).status_code == 200


@pytest.mark.parametrize("settings", [Settings(api_key="s3cret")])
async def test_health_and_the_contract_need_no_key(client: httpx2.AsyncClient) -> None:
    assert (await client.get("http://server/health")).status_code == 200
    assert (await client.get("http://server/openapi.json")).status_code == 200


async def test_any_key_will_do_where_none_is_set(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/models", headers={"authorization": "Bearer any"})).status_code == 200


@pytest.mark.parametrize("path", ["/models", "/nothing", "http://server/health"])
async def test_every_response_has_an_id_and_a_time(client: httpx2.AsyncClient, path: str) -> None:
    first, second = [await client.get(path) for _ in range(2)]
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert int(first.headers["openai-processing-ms"]) >= 0


@pytest.mark.parametrize(
    ("sent", "kept"), [("trace-1.2:3_4", True), ("a b", False), ("x" * 129, False), ("", False)]
)
async def test_a_plain_id_of_the_client_is_kept(client: httpx2.AsyncClient, sent: str, *, kept: bool) -> None:
    response = await client.get("/models", headers={"x-request-id": sent})
    assert (response.headers["x-request-id"] == sent) is kept


def preflight(origin: str) -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, x-stainless-os",
    }


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"])
async def test_a_web_page_of_this_machine_may_ask(client: httpx2.AsyncClient, origin: str) -> None:
    response = await client.options("/chat/completions", headers=preflight(origin))
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == origin
    assert "x-stainless-os" in response.headers["access-control-allow-headers"]


@pytest.mark.parametrize("origin", ["https://example.org", "http://localhost.example.org", "null"])
async def test_a_web_page_of_another_machine_may_not(client: httpx2.AsyncClient, origin: str) -> None:
    response = await client.options("/chat/completions", headers=preflight(origin))
    assert response.status_code == 400
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("settings", [Settings(cors_origins=("https://example.org",))])
async def test_a_web_page_that_was_allowed_may_ask_and_read_errors_too(client: httpx2.AsyncClient) -> None:
    origin = "https://example.org"
    assert (await client.options("/models", headers=preflight(origin))).status_code == 200
    response = await client.get("/nothing", headers={"origin": origin})
    assert response.headers["access-control-allow-origin"] == origin
    assert "x-request-id" in response.headers["access-control-expose-headers"]


# ---- health and contract ---------------------------------------------------------------------------------


async def test_health_says_ok_and_the_version(client: httpx2.AsyncClient) -> None:
    response = await client.get("http://server/health")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["version"].count(".") == 2


async def test_health_is_a_503_once_the_engine_is_dead(
    client: httpx2.AsyncClient, engine: ScriptedEngine, keeps_contract: Check
) -> None:
    engine.die()
    response = await client.get("http://server/health")
    assert response.status_code == 503
    keeps_contract("ErrorEnvelope", response.json())
    assert response.json()["version"]
    error = await refused(client, "/chat/completions", chat(), 503)
    assert error["type"] == "service_unavailable_error"


async def test_the_server_hands_out_the_contract(client: httpx2.AsyncClient) -> None:
    response = await client.get("http://server/openapi.json")
    assert response.json()["openapi"] == "3.2.0"
    assert "/chat/completions" in response.json()["paths"]
