"""Errors of upstreams: every form is understood, and the upstream's internals are removed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.judge.checks.refusals import PATH, TRACE
from gonogo_server.repair.errors import MOST_SECONDS, error_in, upstream_error
from gonogo_server.repair.words import MOST, for_clients

if TYPE_CHECKING:
    from gonogo_server.errors import UpstreamError


def of(value: Any, status: int = 400, hide: tuple[str, ...] = (), **headers: str) -> UpstreamError:  # noqa: ANN401
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return upstream_error(
        status, {name.replace("_", "-"): text for name, text in headers.items()}, data, hide
    )


OPENAI = {"message": "No such thing.", "type": "invalid_request_error", "param": "stop", "code": "bad_stop"}


@pytest.mark.parametrize(
    ("body", "message", "param", "code"),
    [
        ({"error": OPENAI}, "No such thing.", "stop", "bad_stop"),
        (OPENAI, "No such thing.", "stop", "bad_stop"),
        ({"detail": {"error": OPENAI}}, "No such thing.", "stop", "bad_stop"),
        ({"detail": OPENAI}, "No such thing.", "stop", "bad_stop"),
        ([{"error": OPENAI}], "No such thing.", "stop", "bad_stop"),
        ({"error": {"message": json.dumps({"error": OPENAI}), "code": "400"}}, "No such thing.", None, None),
        ({"detail": "No such thing."}, "No such thing.", None, None),
        ({"error": "No such thing."}, "No such thing.", None, None),
        ({"message": "No such thing."}, "No such thing.", None, None),
        ({"object": "error", "message": "No such thing.", "code": 40001}, "No such thing.", None, None),
        (
            {"error": {"code": 400, "message": "No such thing.", "type": "BadRequestError"}},
            "No such thing.",
            None,
            None,
        ),
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "No."}}, "No.", None, None),
        ({"title": "Bad Request"}, "Bad Request", None, None),
        (
            {
                "detail": [
                    {"loc": ["body", "messages", 0, "role"], "msg": "Field required", "type": "missing"}
                ]
            },
            "messages[0].role: Field required",
            "messages[0].role",
            "invalid_value",
        ),
        (b"No such thing.", "No such thing.", None, None),
        (b"<html><title>400 Bad Request</title><body>nginx</body></html>", "400 Bad Request", None, None),
        (b"<!DOCTYPE html><style>x</style><p>Not &amp; here</p>", "Not & here", None, None),
        (b'"No such thing."', "No such thing.", None, None),
    ],
)
def test_the_message_of_an_error_is_found_in_every_form(
    body: Any,  # noqa: ANN401
    message: str,
    param: str | None,
    code: str | None,
) -> None:
    error = of(body)
    assert (str(error), error.param, error.code) == (message, param, code)
    assert (error.status, error.type, error.retry_after) == (400, "invalid_request_error", None)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"{}", b"[]", b"7", b'{"error":{}}', b'{"error":{"message":null}}']
)
def test_an_error_without_a_message_gets_one(body: bytes) -> None:
    assert str(of(body)) == "The upstream refused the request with status 400 and gave no reason."
    assert str(of(body, 500)) == "The upstream failed while it answered: try again."


@pytest.mark.parametrize(
    ("theirs", "ours", "type_"),
    [
        (400, 400, "invalid_request_error"),
        (403, 403, "invalid_request_error"),
        (404, 404, "invalid_request_error"),
        (405, 404, "invalid_request_error"),
        (409, 409, "invalid_request_error"),
        (413, 413, "invalid_request_error"),
        (415, 400, "invalid_request_error"),
        (422, 400, "invalid_request_error"),
        (401, 502, "server_error"),
        (402, 429, "rate_limit_error"),
        (429, 429, "rate_limit_error"),
        (408, 504, "server_error"),
        (302, 502, "server_error"),
        (500, 502, "server_error"),
        (501, 501, "server_error"),
        (503, 503, "service_unavailable_error"),
        (504, 504, "server_error"),
        (520, 502, "server_error"),
        (529, 503, "service_unavailable_error"),
    ],
)
def test_a_status_becomes_one_that_makes_sense_to_clients(theirs: int, ours: int, type_: str) -> None:
    error = of({"error": {"message": "No."}}, theirs)
    assert (error.status, error.type) == (ours, type_)


def test_the_key_that_an_upstream_refuses_is_this_servers_and_not_the_clients() -> None:
    error = of({"error": {"message": "Incorrect API key provided: abcd.", "code": "invalid_api_key"}}, 401)
    assert (error.status, error.code) == (502, "upstream_refused_key")
    assert str(error) == (
        "The upstream rejects the key of this server: the operator of this server must set another."
    )


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "This model's maximum context length is 2048 tokens."),
        (400, "the request exceeds the available context size, try increasing it"),
        (500, "Prompt is too long: 9000 tokens"),
        (422, "Input is longer than the context window"),
    ],
)
def test_a_prompt_that_is_too_long_has_the_code_that_clients_know(status: int, message: str) -> None:
    error = of({"error": {"message": message}}, status)
    assert (error.status, error.code, str(error)) == (400, "context_length_exceeded", message)


@pytest.mark.parametrize(
    "message",
    [
        "There is no model 'x'.",
        "The model `x` does not exist.",
        "model 'x' not found, try pulling it first",
        "Unknown model: x",
    ],
)
def test_an_unknown_model_has_the_code_that_clients_know(message: str) -> None:
    for status in (400, 404, 422):
        error = of({"error": {"message": message, "code": "NotFoundError"}}, status)
        assert (error.status, error.code) == (404, "model_not_found")
    assert of({"error": "Not Found"}, 404).code is None
    assert of({"error": "This model takes no tools: auto is not found in its choices."}, 400).status == 400


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "1.2"}, 2),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 2),
        ({"retry_after": "999999"}, MOST_SECONDS),
        ({"retry_after": "-3"}, 1),
        ({"retry_after": "nan"}, 1),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 1),
        ({}, 1),
    ],
)
def test_the_time_to_wait_is_kept_and_bounded(headers: dict[str, str], seconds: int) -> None:
    assert of({"error": "slow down"}, 429, **headers).retry_after == seconds
    assert of({"error": "slow down"}, 503, **headers).retry_after == seconds
    assert of({"error": "no"}, 400, **headers).retry_after is None


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("Invalid value for 'temperature': expected at most 2.", "temperature"),
        ("temperature must be in [0, 2]", "temperature"),
        ("`top_p` must be above 0", "top_p"),
        ("'n' and 'best_of' do not agree", None),
        ("The temperature of the machine is too high", None),
        ("No such thing.", None),
    ],
)
def test_a_parameter_that_only_the_words_name_is_found_where_it_is_one(
    message: str, param: str | None
) -> None:
    assert of({"detail": message}, 422).param == param
    assert of({"error": {"message": message, "param": "x"}}).param == "x"


SECRETS = [
    "http://10.0.0.5:8000/v1/chat/completions",
    "https://user:pass@gpu-7.internal:9443/x?key=1",
    "10.0.0.5:8000",
    "localhost:11434",
    "gpu-7.cluster.local:8000",
    "[::1]:8080",
    "sk-abcdef1234567890",
    "sk-ab***90",
    "Bearer abc.def",
    "/home/me/models/llama.gguf",
    "/usr/lib/python3/site-packages/vllm/engine.py",
    "C:\\Users\\me\\model.gguf",
    "/models/private/llama.safetensors",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "form", ["It failed: {}.", 'It failed ("{}") today', "{}", "It failed at {} (again)"]
)
def test_addresses_keys_and_files_of_an_upstream_reach_no_client(secret: str, form: str) -> None:
    said = str(of({"error": {"message": form.format(secret)}}, 500))
    assert secret not in said
    for part in (
        "10.0.0.5",
        "localhost",
        "internal",
        "abcdef",
        "/home/me",
        "site-packages",
        "private",
        "Users",
    ):
        assert part not in said
    assert said


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            'It broke.\nTraceback (most recent call last):\n  File "/a/b.py", line 3, in f\nValueError: x',
            "It broke.",
        ),
        (
            'Traceback (most recent call last):\n  File "/a/b.py", line 3, in f\nValueError: bad seed',
            "bad seed",
        ),
        ("Error: boom\n    at run (/srv/app/index.js:3:7)\n    at main (/srv/app/x.js:1:1)", "Error: boom"),
        ("panic: x\n\ngoroutine 1 [running]:\nmain.main()", "panic: x"),
        ("thread 'main' panicked at src/main.rs:2", ""),
    ],
)
def test_lines_of_an_upstreams_code_reach_no_client(text: str, left: str) -> None:
    assert for_clients(text) == left
    said = str(of({"error": {"message": text}}, 500))
    assert not TRACE.search(said)
    assert not PATH.search(said)


@pytest.mark.parametrize(
    "text",
    [
        "Invalid value for 'messages[0].content': expected a string.",
        "There is no POST /v1/chat/completions here.",
        "max_tokens must be between 1 and 4096; temperature 0.7/1.0 and/or top_p.",
        "The model meta-llama/Llama-3.1-8B does not exist.",
        "Ratio 3:4, time 12:30, version 1.2.3",
        "Set api-version or api_key in the request.",
    ],
)
def test_words_about_a_request_stay_as_they_are(text: str) -> None:
    assert for_clients(text) == text


def test_hidden_texts_are_removed_and_the_rest_is_one_bounded_line() -> None:
    assert for_clients("my-host said\nno\x1b[0m", hide=["my-host", ""]) == "(hidden) said no [0m"
    assert len(for_clients("x" * 5000)) == MOST


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"error": OPENAI}, 400),
        ({"error": {"message": "No model.", "code": "model_not_found"}}, 404),
        ({"error": {"message": "No.", "code": 429}}, 429),
        ({"error": {"message": "Busy.", "type": "overloaded_error"}}, 503),
        ({"error": "CUDA out of memory"}, 502),
        ({"detail": "Not Found"}, 502),
        ({"object": "error", "message": "No.", "code": 404}, 404),
    ],
)
def test_an_error_under_status_200_gets_a_status(document: dict[str, Any], status: int) -> None:
    error = error_in(document)
    assert error is not None
    assert error.status == status


@pytest.mark.parametrize(
    "document",
    [
        {"choices": []},
        {"choices": [], "error": None},
        {"data": [], "object": "list"},
        {"id": "m", "object": "model", "message": "hello"},
        {"usage": {}},
    ],
)
def test_an_answer_is_not_an_error(document: dict[str, Any]) -> None:
    assert error_in(document) is None
