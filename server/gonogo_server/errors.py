"""The errors of the server, with their status and their type in the OpenAI API.

    ServerError                500 server_error              a bug, or a generation that failed
    ├── BadRequest             400 invalid_request_error     the request cannot be served as it is
    ├── BadRequest             400 invalid_request_error     the request is invalid or cannot be served
    ├── BadHttp                400 invalid_request_error     it is not an HTTP/1.1 request
    │   ├── HeadTooLarge       431 invalid_request_error     its head is too large
    │   └── CodingNotRead      501 invalid_request_error     its transfer coding is not supported
    ├── Unauthorized           401 invalid_request_error     the API key is missing or wrong
    ├── ModelNotFound          404 invalid_request_error     no such model is served
    ├── ResponseNotFound       404 invalid_request_error     no response of this id is stored for this key
    ├── NoResponseStore        404 invalid_request_error     the server stores no responses
    ├── ProviderNotFound       404 invalid_request_error     no provider has this name
    ├── NotTranslated          404 invalid_request_error     the provider does not support this API
    ├── TooSlow                408 invalid_request_error     the request did not arrive in time
    ├── Misdirected            421 invalid_request_error     the request is for another host
    ├── BodyTooLarge           413 invalid_request_error     the request has more bytes than the limit
    ├── UnsupportedMediaType   415 invalid_request_error     the body is not declared as JSON
    ├── Overloaded             429 rate_limit_error          too many requests are queued
    ├── DeadlineExceeded       503 service_unavailable_error the answer took too long (504: that of an upstream)
    ├── TooManyConnections     503 service_unavailable_error too many connections are open already
    ├── Draining               503 service_unavailable_error the server is about to stop
    ├── EngineDied             503 service_unavailable_error the engine cannot generate any more
    ├── ModelUnavailable       503 service_unavailable_error a model is missing, or cannot be loaded
    │   └── UnsupportedModel   400 invalid_request_error     the kind of model is not supported
    ├── StoreFailed            500 server_error              the store of responses failed, as on a full disk
    ├── UpstreamError          (as the upstream's is read)   an upstream refused, failed, or sent something unreadable
    └── BadSettings            (at the start only)           the server cannot start with its settings

The server's own deadline is a 503; 504 is for gateways (RFC 9110, section 15.6.5), that is for upstream answers.

Each message is one or two sentences for the client that say what to do; `envelope` serializes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

ErrorType = Literal["invalid_request_error", "rate_limit_error", "server_error", "service_unavailable_error"]


class ServerError(Exception):
    """Any failure that the server reports; `status` and `type` belong to the class, except for an upstream's."""

    status: int = 500
    type: ErrorType = "server_error"

    default_param: ClassVar[str | None] = None
    default_code: ClassVar[str | None] = None
    """The code on the wire unless the exception has a more specific one."""
    retry_after: int | None = None
    """Seconds after which the same request may succeed; None: repeating it is of no use."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param or self.default_param
        self.code = code or self.default_code


class BadRequest(ServerError):  # noqa: N818 - named after its HTTP status
    """The request is invalid or cannot be served: `param` names the field, `code` the kind of error."""

    status = 400
    type = "invalid_request_error"


class TooLong(BadRequest):
    """A prompt has more tokens than the model's context; `tokens` is their number, if all were counted."""

    def __init__(self, context_length: int, tokens: int | None = None, param: str | None = None) -> None:
        self.size = f"more than {context_length} tokens" if tokens is None else f"{tokens} tokens"
        self.context_length, self.tokens = context_length, tokens
        # LangChain and LiteLLM recognise it by phrases, not by code: "maximum context length", "prompt is too long".
        super().__init__(
            f"This model's maximum context length is {context_length} tokens, and the prompt is too long: it has"
            f" {self.size}. Shorten it.",
            param=param,
            code="context_length_exceeded",
        )

    def about(self, param: str) -> TooLong:
        """The same error with the name of the prompt's field."""
        return TooLong(self.context_length, self.tokens, param)


class BadHttp(ServerError):  # noqa: N818 - named after its HTTP status
    """The bytes are not an HTTP/1.1 request; the connection is closed."""

    status = 400
    type = "invalid_request_error"
    default_code = "invalid_http"


class HeadTooLarge(BadHttp):
    """The head of the request is too large."""

    status = 431


class CodingNotRead(BadHttp):
    """The transfer coding of the body is not supported."""

    status = 501


class TooSlow(ServerError):  # noqa: N818 - it says what is the matter
    """The head or the body of the request did not arrive in time; the connection is closed."""

    status = 408
    type = "invalid_request_error"
    default_code = "request_too_slow"


class Misdirected(ServerError):  # noqa: N818 - named after its HTTP status
    """The Host of the request is not a name of this server."""

    status = 421
    type = "invalid_request_error"
    default_code = "misdirected_request"


class Unauthorized(ServerError):  # noqa: N818 - named after its HTTP status
    """The API key is missing or wrong."""

    status = 401
    type = "invalid_request_error"


class ModelNotFound(ServerError):  # noqa: N818 - named after its code on the wire
    """No such model is served."""

    status = 404
    type = "invalid_request_error"


class ResponseNotFound(ServerError):  # noqa: N818 - it says what is the matter
    """No response of this id is stored for this key."""

    status = 404
    type = "invalid_request_error"
    default_code = "response_not_found"

    def __init__(self, response_id: str) -> None:
        super().__init__(
            f"There is no response '{response_id}' here: it was not stored for this key, was deleted, or has expired.",
            param="response_id",
        )


class NoResponseStore(ServerError):  # noqa: N818 - it says what is the matter
    """A response was requested by its id, but the server stores none."""

    status = 404
    type = "invalid_request_error"
    default_code = "unknown_url"

    def __init__(self) -> None:
        super().__init__("This server stores no responses: start it with `gonogo serve --responses-store`.")


class StoreFailed(ServerError):  # noqa: N818 - it says what happened
    """The store of responses cannot be read or written."""

    default_code = "responses_store_failed"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The store of responses cannot be read or written ({why}): send the whole conversation in 'input'."
        )


class ProviderNotFound(ServerError):  # noqa: N818 - it says what is the matter
    """No provider has the name in the path."""

    status = 404
    type = "invalid_request_error"
    default_code = "unknown_provider"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no provider '{name}': use one of {', '.join(known)}.")


class NotTranslated(ServerError):  # noqa: N818 - it says what is the matter
    """The provider supports only chat completions, or cannot count tokens."""

    status = 404
    type = "invalid_request_error"
    default_code = "unknown_url"

    def __init__(
        self,
        message: str = "This provider supports only chat completions, completions and embeddings; responses and"
        " messages are not forwarded to it.",
    ) -> None:
        super().__init__(message)


class BodyTooLarge(ServerError):  # noqa: N818 - named after its HTTP status
    """The request's body exceeds the size limit."""

    status = 413
    type = "invalid_request_error"


class UnsupportedMediaType(ServerError):  # noqa: N818 - named after its HTTP status
    """The request's body is not declared as JSON."""

    status = 415
    type = "invalid_request_error"


class Overloaded(ServerError):  # noqa: N818 - it says what is the matter
    """Too many requests are queued; `retry_after` is an estimate in seconds."""

    status = 429
    type = "rate_limit_error"
    default_code = "slow_down"

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeadlineExceeded(ServerError):  # noqa: N818 - it says what happened
    """The answer was not finished within the time limit of a request; 504 if an upstream did not finish it."""

    status = 503
    type: ErrorType = "service_unavailable_error"
    default_code = "request_timeout"

    def __init__(self, seconds: float, *, upstream: bool = False) -> None:
        super().__init__(
            f"The answer was not finished within {seconds:g} seconds, the limit of this server:"
            " request fewer tokens, or raise its --request-timeout."
        )
        if upstream:
            self.status, self.type, self.code = 504, "server_error", "upstream_timeout"


class TooManyConnections(ServerError):  # noqa: N818 - it says what is the matter
    """The maximum number of connections is open; the new one is closed."""

    status = 503
    type = "service_unavailable_error"
    default_code = "too_many_connections"
    retry_after = 1

    def __init__(self, connections: int) -> None:
        super().__init__(f"{connections} connections are already open: close some, or try again in a second.")


class Draining(ServerError):  # noqa: N818 - it says what is the matter
    """The server finishes open requests, accepts no new ones, and stops."""

    status = 503
    type = "service_unavailable_error"
    default_code = "shutting_down"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__(
            "The server is shutting down and accepts no new requests: try again later, or on another server."
        )


class EngineDied(ServerError):  # noqa: N818 - it says what happened
    """The engine has failed for good; the process must be restarted."""

    status = 503
    type = "service_unavailable_error"
    default_code = "engine_died"


class ModelUnavailable(ServerError):  # noqa: N818 - it says what happened
    """A requested model is missing or cannot be loaded."""

    status = 503
    type: ErrorType = "service_unavailable_error"
    default_param = "model"
    default_code = "model_unavailable"


class UnsupportedModel(ModelUnavailable):
    """The kind of model (architecture, quantisation, tokenizer) is not supported; the message gives details."""

    status = 400
    type = "invalid_request_error"
    default_code = "model_not_supported"


class UpstreamError(ServerError):
    """An upstream refused, failed, or sent something unreadable: 502 unless its own status is more specific."""

    status = 502

    def __init__(
        self,
        message: str,
        param: str | None = None,
        code: str | None = None,
        *,
        status: int = 502,
        type: ErrorType = "server_error",  # noqa: A002 - the name on the wire
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, param, code or ("upstream_failed" if status >= 500 else None))
        self.status, self.type, self.retry_after = status, type, retry_after


class BadSettings(ServerError):  # noqa: N818 - it says what is wrong
    """The server cannot start with its settings."""
