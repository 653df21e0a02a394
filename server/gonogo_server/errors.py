"""What can go wrong in the server, and the one mapping of it to a status and a type of the OpenAI API.

    ServerError                500 server_error              a bug, or a generation that failed
    ├── BadRequest             400 invalid_request_error     the request cannot be served as it is
    ├── Unauthorized           401 invalid_request_error     the API key is missing or wrong
    ├── ModelNotFound          404 invalid_request_error     no such model is served
    ├── BodyTooLarge           413 invalid_request_error     the request has more bytes than the limit
    ├── UnsupportedMediaType   415 invalid_request_error     the body is not declared as JSON
    ├── Overloaded             429 rate_limit_error          too many requests wait already
    ├── EngineDied             503 service_unavailable_error nothing can be generated any more
    ├── ModelUnavailable       (at the start only)           a model is not on this machine, or cannot be read
    └── BadSettings            (at the start only)           the server cannot start as it was configured

Each message is one sentence or two that say what to do, and goes to whoever asked; `envelope` puts it on the
wire.
"""

from __future__ import annotations

from typing import ClassVar, Literal

ErrorType = Literal["invalid_request_error", "rate_limit_error", "server_error", "service_unavailable_error"]


class ServerError(Exception):
    """Whatever the server says about a failure: `status` and `type` go with the class."""

    status: ClassVar[int] = 500
    type: ClassVar[ErrorType] = "server_error"

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class BadRequest(ServerError):  # noqa: N818 - named after its HTTP status
    """The request cannot be served as it is: `param` names the field at fault, `code` the kind of fault."""

    status = 400
    type = "invalid_request_error"


class Unauthorized(ServerError):  # noqa: N818 - named after its HTTP status
    """The API key is missing or wrong."""

    status = 401
    type = "invalid_request_error"


class ModelNotFound(ServerError):  # noqa: N818 - named after its code on the wire
    """No such model is served."""

    status = 404
    type = "invalid_request_error"


class BodyTooLarge(ServerError):  # noqa: N818 - named after its HTTP status
    """The request's body has more bytes than the server takes."""

    status = 413
    type = "invalid_request_error"


class UnsupportedMediaType(ServerError):  # noqa: N818 - named after its HTTP status
    """The request's body is not declared as JSON."""

    status = 415
    type = "invalid_request_error"


class Overloaded(ServerError):  # noqa: N818 - it says what is the matter
    """Too many requests wait already: `retry_after` seconds are a fair guess at when fewer will."""

    status = 429
    type = "rate_limit_error"

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message, code="slow_down")
        self.retry_after = retry_after


class EngineDied(ServerError):  # noqa: N818 - it says what happened
    """The engine can generate nothing more; only a new process helps."""

    status = 503
    type = "service_unavailable_error"


class ModelUnavailable(ServerError):  # noqa: N818 - it says what happened
    """A model that was asked for is not on this machine, or cannot be read here."""


class BadSettings(ServerError):  # noqa: N818 - it says what is wrong
    """The server cannot start as it was configured."""
