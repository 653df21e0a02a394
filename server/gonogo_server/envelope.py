"""Every failure as the error object of the OpenAI API: an exception goes in, a response comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi.exceptions import RequestValidationError
from gonogo_wire import ErrorEnvelope, ErrorObject
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from gonogo_server.errors import Draining, ServerError, TooSlow, Unauthorized
from gonogo_server.exchange import current

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

CLIENT_CLOSED_REQUEST: Final = 499
"""For the access log alone, after nginx: nobody is left to read it."""

STATUS_TEXTS: Final[Mapping[int, tuple[str, str]]] = {
    404: (
        "unknown_url",
        "There is no {method} {path} here: the API is under /v1, its paths in /openapi.json.",
    ),
    405: (
        "method_not_allowed",
        "{method} is not allowed on {path}: use one of the methods in the Allow header.",
    ),
}
"""What the router raises by itself: code and sentence."""


def envelope(error: BaseException) -> ErrorEnvelope:
    """What the wire says about a failure; of a bug, that it happened and no more."""
    shown = _public(error)
    return ErrorEnvelope(
        error=ErrorObject(message=str(shown), type=shown.type, param=shown.param, code=shown.code)
    )


def error_response(error: BaseException) -> Response:
    """The envelope under the failure's status."""
    shown = _public(error)
    return _response(shown.status, envelope(shown), _headers(shown))


def install(app: FastAPI) -> None:
    """Make `app` answer every failure with the envelope, those of the framework included."""
    app.add_exception_handler(ServerError, _failure)
    app.add_exception_handler(HTTPException, _routing)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _failure)


async def _failure(_request: Request, error: Exception) -> Response:
    return error_response(error)


async def _routing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, text = STATUS_TEXTS.get(error.status_code, (None, str(error.detail)))
    shown = ErrorObject(
        message=text.format(method=request.method, path=request.url.path),
        type="invalid_request_error" if error.status_code < 500 else "server_error",
        param=None,
        code=code,
    )
    return _response(error.status_code, ErrorEnvelope(error=shown), error.headers or {})


async def _parameters(_request: Request, error: Exception) -> Response:
    """FastAPI's own findings, about a path or a query; bodies are read by `body`."""
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
    return ServerError("The server failed while it answered: its log says why.", code="internal_error")


def _headers(error: ServerError) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = "Bearer"  # RFC 9110 section 11.6.1: a 401 carries the challenge
    if isinstance(error, Draining | TooSlow):
        # The next request of this client had better find another server; what comes late of this one is not read.
        headers["connection"] = "close"
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    elif error.status >= 500:
        headers["x-should-retry"] = (
            "false"  # the official SDKs ask again by themselves otherwise, for nothing
        )
    return headers


def _response(status: int, body: ErrorEnvelope, headers: Mapping[str, str]) -> Response:
    current().error = body.error.code or body.error.type
    return Response(
        body.model_dump_json(by_alias=True),
        status_code=status,
        headers=dict(headers),
        media_type="application/json",
    )
