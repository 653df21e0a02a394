"""What can go wrong in the server, and the one mapping of it to a status and the envelope of the OpenAI API.

    ServerError                500 server_error              a bug, or a generation that failed
    ├── BadRequest             400 invalid_request_error     the request cannot be served as it is
    ├── Unauthorized           401 invalid_request_error     the API key is missing or wrong
    ├── ModelNotFound          404 invalid_request_error     no such model is served
    ├── BodyTooLarge           413 invalid_request_error     the request has more bytes than the limit
    ├── EngineDied             503 service_unavailable_error nothing can be generated any more
    ├── ModelUnavailable       (at the start only)           a model is not on this machine, or cannot be read
    └── BadSettings            (at the start only)           the server cannot start as it was configured

Each message is one sentence or two that say what to do; it goes to whoever asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gonogo_wire import ErrorEnvelope, ErrorObject

if TYPE_CHECKING:
    from collections.abc import Mapping

ErrorType = Literal["invalid_request_error", "server_error", "service_unavailable_error"]


class ServerError(Exception):
    """Whatever the server says about a failure.

    `status`, `type`, `code` and `param` are what the envelope says; `headers` go with it.
    """

    status: ClassVar[int] = 500
    type: ClassVar[ErrorType] = "server_error"
    # The official SDKs retry on 5xx by themselves unless this header says not to; asking again would not help.
    headers: ClassVar[Mapping[str, str]] = {"x-should-retry": "false"}
    param: str | None = None
    code: str | None = None


class BadRequest(ServerError):  # noqa: N818 - named after its HTTP status
    """The request cannot be served as it is: `param` names the offending field, `code` the kind of offence."""

    status = 400
    type = "invalid_request_error"
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class Unauthorized(ServerError):  # noqa: N818 - named after its HTTP status
    """The API key is missing or wrong."""

    status = 401
    type = "invalid_request_error"
    # RFC 9110 section 11.6.1: a 401 carries the challenge.
    headers: ClassVar[Mapping[str, str]] = {"www-authenticate": "Bearer"}
    code = "invalid_api_key"


class ModelNotFound(ServerError):  # noqa: N818 - named after its code on the wire
    """No such model is served."""

    status = 404
    type = "invalid_request_error"
    headers: ClassVar[Mapping[str, str]] = {}
    code = "model_not_found"
    param = "model"


class BodyTooLarge(ServerError):  # noqa: N818 - named after its HTTP status
    """The request's body has more bytes than the server takes."""

    status = 413
    type = "invalid_request_error"
    headers: ClassVar[Mapping[str, str]] = {}
    code = "request_too_large"


class EngineDied(ServerError):  # noqa: N818 - it says what happened
    """The engine can generate nothing more; only a new process helps."""

    status = 503
    type = "service_unavailable_error"
    code = "engine_died"


class ModelUnavailable(ServerError):  # noqa: N818 - it says what happened
    """A model that was asked for is not on this machine, or cannot be read here."""


class BadSettings(ServerError):  # noqa: N818 - it says what is wrong
    """The server cannot start as it was configured."""


INTERNAL = ServerError("The server failed while it answered; its log says why, under the x-request-id.")
"""What is said of a bug: nothing of its inside."""


def public(error: BaseException) -> ServerError:
    """The error itself where it was meant to be read, `INTERNAL` for any other."""
    return error if isinstance(error, ServerError) else INTERNAL


def envelope(error: ServerError) -> ErrorEnvelope:
    """What the body says about it; all four keys are always there."""
    return ErrorEnvelope(
        error=ErrorObject(message=str(error), type=error.type, param=error.param, code=error.code)
    )
