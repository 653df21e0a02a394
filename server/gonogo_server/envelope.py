"""Turns exceptions into responses with the error object of the OpenAI API, or of the Messages API on its paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi.exceptions import RequestValidationError
from gonogo_wire import ErrorEnvelope, ErrorObject, MessageErrorEnvelope, MessageErrorObject
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from gonogo_server.errors import DeadlineExceeded, Draining, ServerError, TooSlow, Unauthorized
from gonogo_server.exchange import current

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from typing import Any

    from fastapi import FastAPI
    from pydantic import BaseModel
    from starlette.requests import Request

    Scope = MutableMapping[str, Any]

REQUEST_ID: Final = "x-request-id"
"""The header with the request id, and its key in the scope."""
CLIENT_CLOSED_REQUEST: Final = 499
"""Only for the log, as in nginx: the client has disconnected."""

STATUS_TEXTS: Final[Mapping[int, tuple[str, str]]] = {
    404: (
        "unknown_url",
        "There is no {method} {path}: the API is under /v1, and /openapi.json lists its paths.",
    ),
    405: (
        "method_not_allowed",
        "{method} is not allowed on {path}: use one of the methods in the Allow header.",
    ),
}
"""Errors of the router: code and message."""

MESSAGES: Final = ("/v1/messages", "/v1/messages/count_tokens")
"""The ends of the Messages API's paths; a path may also end with a model named org/messages."""

MESSAGE_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
"""Error types by status; any other is `invalid_request_error` below 500, `api_error` above."""


def envelope(error: BaseException) -> ErrorEnvelope:
    """The error object of an exception; a bug is reported without details."""
    shown = _public(error)
    return ErrorEnvelope(
        error=ErrorObject(message=str(shown), type=shown.type, param=shown.param, code=shown.code)
    )


def message_envelope(error: BaseException, request_id: str | None = None) -> MessageErrorEnvelope:
    """The error object of the Messages API for an exception."""
    shown = _public(error)
    kind = "timeout_error" if isinstance(shown, DeadlineExceeded) else _message_type(shown.status)
    return _message_envelope(kind, _with_param(shown), request_id)


def _with_param(error: ServerError) -> str:
    """The message; it begins with the field if it does not name it, as this API has no `param`.

    Clients know a prompt that is too long by the words alone.
    """
    message, param = str(error), error.param
    if not param or param in message or error.code == "context_length_exceeded":
        return message
    return f"{param}: {message}"


def of_messages(scope: Scope) -> bool:
    """Whether a request belongs to the Messages API."""
    return str(scope.get("path", "")).endswith(MESSAGES)


def error_response(error: BaseException, scope: Scope | None = None) -> Response:
    """The response for an exception, with its status; `scope` is that of the request, if there is one."""
    shown = _public(error)
    if scope is not None and of_messages(scope):
        current().error = shown.code or shown.type
        return _written(shown.status, message_envelope(shown, scope.get(REQUEST_ID)), _headers(shown))
    return _response(shown.status, envelope(shown), _headers(shown))


def install(app: FastAPI) -> None:
    """Make `app` answer every failure with the envelope, including those of the framework."""
    app.add_exception_handler(ServerError, _failure)
    app.add_exception_handler(HTTPException, _routing)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _failure)


async def _failure(request: Request, error: Exception) -> Response:
    return error_response(error, request.scope)


async def _routing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, text = STATUS_TEXTS.get(error.status_code, (None, str(error.detail)))
    shown = ErrorObject(
        message=text.format(method=request.method, path=request.url.path),
        type="invalid_request_error" if error.status_code < 500 else "server_error",
        param=None,
        code=code,
    )
    if of_messages(request.scope):
        current().error = code
        body = _message_envelope(
            _message_type(error.status_code), shown.message, request.scope.get(REQUEST_ID)
        )
        return _written(error.status_code, body, error.headers or {})
    return _response(error.status_code, ErrorEnvelope(error=shown), error.headers or {})


async def _parameters(_request: Request, error: Exception) -> Response:
    """FastAPI's own errors about a path or a query; bodies are parsed by `body`."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    shown = ErrorObject(
        message=f"Invalid parameter: {first['msg']}.",
        type="invalid_request_error",
        param=".".join(str(part) for part in first["loc"][1:]) or None,
        code="invalid_value",
    )
    return _response(400, ErrorEnvelope(error=shown), {})


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED_REQUEST)


def _public(error: BaseException) -> ServerError:
    if isinstance(error, ServerError):
        return error
    return ServerError("The server failed while it answered: see its log.", code="internal_error")


def _headers(error: ServerError) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = "Bearer"  # RFC 9110 section 11.6.1: a 401 carries the challenge
    if isinstance(error, Draining | TooSlow):
        # This client's next request should go to another server; late bytes of this one are not read.
        headers["connection"] = "close"
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    elif error.status >= 500:
        headers["x-should-retry"] = "false"  # otherwise the official SDKs retry in vain
    return headers


def _response(status: int, body: ErrorEnvelope, headers: Mapping[str, str]) -> Response:
    current().error = body.error.code or body.error.type
    return _written(status, body, headers)


def _message_type(status: int) -> str:
    return MESSAGE_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")


def _message_envelope(kind: str, message: str, request_id: str | None) -> MessageErrorEnvelope:
    return MessageErrorEnvelope(
        type="error", error=MessageErrorObject(type=kind, message=message), request_id=request_id
    )


def _written(status: int, body: BaseModel, headers: Mapping[str, str]) -> Response:
    return Response(
        body.model_dump_json(by_alias=True),
        status_code=status,
        headers=dict(headers),
        media_type="application/json",
    )
