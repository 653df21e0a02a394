"""Every exception of the server as clients see it: status, type, param, code and headers."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING

import gonogo_server
import pytest
from gonogo_server import errors
from gonogo_server.answers.stream import OutOfOrder
from gonogo_server.envelope import envelope, error_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BAD = "invalid_request_error"
LATER = "service_unavailable_error"
NO_RETRY = {"x-should-retry": "false"}

# The exception, then status, type, param, code and the headers besides those of every JSON response.
TREE = [
    (errors.ServerError("x"), 500, "server_error", None, None, NO_RETRY),
    (OutOfOrder("x"), 500, "server_error", None, None, NO_RETRY),
    (errors.BadRequest("x", "temperature", "invalid_value"), 400, BAD, "temperature", "invalid_value", {}),
    (errors.TooLong(8, 9, "messages"), 400, BAD, "messages", "context_length_exceeded", {}),
    (
        errors.Unauthorized("x", code="invalid_api_key"),
        401,
        BAD,
        None,
        "invalid_api_key",
        {"www-authenticate": "Bearer"},
    ),
    (errors.ModelNotFound("x", "model", "model_not_found"), 404, BAD, "model", "model_not_found", {}),
    (errors.BodyTooLarge("x", code="request_too_large"), 413, BAD, None, "request_too_large", {}),
    (errors.BadHttp("x"), 400, BAD, None, "invalid_http", {}),
    (errors.HeadTooLarge("x"), 431, BAD, None, "invalid_http", {}),
    (errors.CodingNotRead("x"), 501, BAD, None, "invalid_http", NO_RETRY),
    (errors.TooSlow("x"), 408, BAD, None, "request_too_slow", {"connection": "close"}),
    (errors.Misdirected("x"), 421, BAD, None, "misdirected_request", {}),
    (errors.TooManyConnections(9), 503, LATER, None, "too_many_connections", {"retry-after": "1"}),
    (errors.UnsupportedMediaType("x"), 415, BAD, None, None, {}),
    (errors.Overloaded("x", 7), 429, "rate_limit_error", None, "slow_down", {"retry-after": "7"}),
    (errors.DeadlineExceeded(2.5), 503, LATER, None, "request_timeout", NO_RETRY),
    (errors.Draining(), 503, LATER, None, "shutting_down", {"retry-after": "5", "connection": "close"}),
    (errors.ProviderNotFound("x", ["a", "b"]), 404, BAD, None, "unknown_provider", {}),
    (errors.NotTranslated(), 404, BAD, None, "unknown_url", {}),
    (errors.NoResponseStore(), 404, BAD, None, "unknown_url", {}),
    (errors.ResponseNotFound("x"), 404, BAD, "response_id", "response_not_found", {}),
    (errors.StoreFailed("x"), 500, "server_error", None, "responses_store_failed", NO_RETRY),
    (errors.UpstreamError("x"), 502, "server_error", None, "upstream_failed", NO_RETRY),
    (
        errors.UpstreamError("x", retry_after=2),
        502,
        "server_error",
        None,
        "upstream_failed",
        {"retry-after": "2"},
    ),
    (errors.EngineDied("x"), 503, LATER, None, "engine_died", NO_RETRY),
    (errors.ModelUnavailable("x"), 503, LATER, "model", "model_unavailable", NO_RETRY),
    (errors.UnsupportedModel("x"), 400, BAD, "model", "model_not_supported", {}),
    # Never sent, because the server does not start; listed so that the tree is complete.
    (errors.BadSettings("x"), 500, "server_error", None, None, NO_RETRY),
    # Any other exception is a bug, and reported as one.
    (ZeroDivisionError("x"), 500, "server_error", None, "internal_error", NO_RETRY),
]


def tree(root: type[errors.ServerError]) -> Iterator[type[errors.ServerError]]:
    yield root
    for branch in root.__subclasses__():
        yield from tree(branch)


@pytest.mark.parametrize(("error", "status", "kind", "param", "code", "headers"), TREE, ids=repr)
def test_each_error_has_its_status_type_param_code_and_headers(
    keeps_contract: Callable[[str, object], None],
    error: Exception,
    status: int,
    kind: str,
    param: str | None,
    code: str | None,
    headers: dict[str, str],
) -> None:
    response = error_response(error)
    sent = json.loads(bytes(response.body))
    keeps_contract("ErrorEnvelope", sent)
    assert response.status_code == status
    assert (sent["error"]["type"], sent["error"]["param"], sent["error"]["code"]) == (kind, param, code)
    always = {"content-type", "content-length"}
    assert {name: value for name, value in response.headers.items() if name not in always} == headers


def test_no_error_of_the_server_is_left_out() -> None:
    for module in pkgutil.walk_packages(gonogo_server.__path__, "gonogo_server."):
        # The development environment has no Ray, and code that needs it has no errors of its own.
        if not module.name.endswith("__main__") and not module.name.startswith("gonogo_server.replicas."):
            importlib.import_module(module.name)
    ours = {cls for cls in tree(errors.ServerError) if cls.__module__.startswith("gonogo_server")}
    assert ours == {type(error) for error, *_ in TREE if isinstance(error, errors.ServerError)}


def test_an_error_in_a_stream_is_the_same_object() -> None:
    error = errors.Overloaded("Too many requests wait: ask again in a second.")
    sent = json.loads(bytes(error_response(error).body))
    assert json.loads(envelope(error).model_dump_json(by_alias=True)) == sent


def test_a_bug_has_no_internal_details() -> None:
    assert b"secret" not in bytes(error_response(KeyError("secret")).body)


def test_the_docs_list_the_codes_that_errors_have_by_themselves() -> None:
    paper = (Path(__file__).resolve().parents[3] / "docs/server.md").read_text()
    section = paper.partition("## Limits and errors")[2].partition("\n#")[0]
    listed = {
        (int(status), code)
        for statuses, codes in re.findall(r"^\| ([\d, ]+) \| (`[^|]+) \|", section, re.MULTILINE)
        for status in statuses.split(", ")
        for code in re.findall(r"`(\w+)`", codes)
    }
    assert {(cls.status, cls.default_code) for cls in tree(errors.ServerError) if cls.default_code} <= listed
