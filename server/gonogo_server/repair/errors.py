"""Converts an upstream's failure of any form into an error of this server.

The message contains neither the upstream's address, key and files nor lines of its code.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.errors import ErrorType, UpstreamError
from gonogo_server.repair.words import for_clients, from_html

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gonogo_server.repair.base import Document

RULES: Final = (
    "errors.envelope.object",
    "errors.envelope.message",
    "errors.envelope.words",
    "errors.envelope.no_trace",
    "errors.envelope.no_path",
    "errors.envelope.type",
    "errors.envelope.param",
    "errors.envelope.code",
    "errors.envelope.content_type",
)
MOST_SECONDS: Final = 3600
"""The maximum Retry-After that is passed on."""

_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")

STATUSES: Final[Mapping[int, int]] = {
    401: 502,  # the key is this server's, not the client's
    402: 429,  # the API's status for an exhausted quota
    405: 404,  # the method is right: the upstream lacks the operation
    407: 502,
    408: 504,
    414: 400,
    415: 400,  # the gateway sends JSON
    422: 400,
    431: 400,
    499: 502,
    500: 502,
    501: 501,
    503: 503,
    504: 504,
    529: 503,
}
"""The status for the client by upstream status; other 4xx are kept, anything else becomes 502."""

_TYPES: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "invalid_request": 400,
    "badrequesterror": 400,
    "bad_request": 400,
    "exceed_context_size_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "notfounderror": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "overloaded_error": 503,
    "service_unavailable_error": 503,
    "unavailable_error": 503,
    "timeout_error": 504,
}
"""The status for an error type, for errors that came with status 200."""

_CODES: Final[Mapping[int, str]] = {
    401: "upstream_refused_key",
    402: "insufficient_quota",
    405: "unknown_url",
    408: "upstream_timeout",
    429: "rate_limit_exceeded",
    503: "upstream_overloaded",
    504: "upstream_timeout",
    529: "upstream_overloaded",
}
_LONG_PROMPT: Final = re.compile(
    r"maximum context length|context[_ ](?:length|size|window)|prompt is too long|exceeds? the (?:available )?context",
    re.IGNORECASE,
)
_NO_MODEL: Final = re.compile(
    r"\bmodel:?\s+[\"'`]?[^\s\"'`]+[\"'`]?,?\s+(?:(?:was|is) )?(?:not found|unknown|does not exist|doesn't exist)"
    r"|\b(?:unknown|no|no such|invalid) model\b|\bmodel(?:_| )not(?:_| )found\b|\bmodel does not exist\b",
    re.IGNORECASE,
)
_BEGINS: Final = re.compile(r"\A[`'\"]?(\w+)")
_QUOTED: Final = re.compile(r"[`'\"](\w+)[`'\"]")
PARAMETERS: Final = frozenset(
    [
        "best_of",
        "dimensions",
        "echo",
        "encoding_format",
        "frequency_penalty",
        "input",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "prompt",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "suffix",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
    ]
)
_MODEL: Final = "model_not_found"
_TOO_LONG: Final = "context_length_exceeded"
_KEY: Final = "The upstream rejects the key of this server: the operator of this server must set another."


@dataclass(slots=True)
class _Details:
    """The content of an upstream's error, as far as it is known."""

    message: str = ""
    type: str = ""
    param: str | None = None
    code: str | None = None
    status: int | None = None


def upstream_error(
    status: int, headers: Mapping[str, str], body: bytes, hide: Iterable[str] = ()
) -> UpstreamError:
    """The error for a failed request; the names in `headers` are in lower case.

    `hide` are texts that no client may see: the upstream's host, base URL and key.
    """
    details = _read(body, headers.get("content-type", ""))
    return _made(details, status, retry_after(headers), hide)


def error_in(document: Document, hide: Iterable[str] = ()) -> UpstreamError | None:
    """The error in a body or an event with status 200; None if the document is an answer."""
    if "choices" in document and not document.get("error"):
        return None
    if not document.get("error") and not _is_bare_error(document):
        return None
    details = _of(document)
    known = _TYPES.get(details.type.lower()) or (404 if details.code == _MODEL else 502)
    return _made(details, details.status or known, None, hide)


def for_client(failure: UpstreamError, hide: Iterable[str]) -> UpstreamError:
    """The failure without texts that no client may see."""
    hide = tuple(hide)
    return UpstreamError(
        for_clients(str(failure), hide),
        _unless_hidden(failure.param, hide),
        _unless_hidden(failure.code, hide),
        status=failure.status,
        type=failure.type,
        retry_after=failure.retry_after,
    )


def _unless_hidden(name: str | None, hide: Iterable[str]) -> str | None:
    """The name of a parameter or a code; None if it contains a hidden text."""
    return None if name is None or any(text and text in name for text in hide) else name


def retry_after(headers: Mapping[str, str]) -> int | None:
    """The seconds of a Retry-After, rounded up and limited; None if there is none, or if it is a date.

    The error of a busy upstream without a Retry-After gets one second.
    """
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        value = headers.get(name, "")
        try:
            seconds = float(value) / unit
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return min(-int(-seconds // 1), MOST_SECONDS)
    return None


def _made(details: _Details, status: int, after: int | None, hide: Iterable[str]) -> UpstreamError:
    hide = tuple(hide)
    about = f"{details.message} {details.type} {details.code or ''}"
    details.param, details.code = _unless_hidden(details.param, hide), _unless_hidden(details.code, hide)
    code = details.code or _CODES.get(status)
    if status not in (401, 403, 429) and _LONG_PROMPT.search(about):
        status, code = 400, _TOO_LONG
    elif status in (400, 404, 422) and _NO_MODEL.search(about):
        status, code, details.param = 404, _MODEL, details.param or "model"
    ours = STATUSES.get(status, status if 400 <= status < 500 else 502)
    if status == 401:
        return UpstreamError(_KEY, code=_CODES[401])
    return UpstreamError(
        for_clients(details.message, hide) or _plain(status),
        details.param or (_named(details.message) if ours == 400 else None),
        code,
        status=ours,
        type=_type(ours),
        retry_after=(1 if after is None else after) if ours in (429, 503) else None,
    )


def _named(message: str) -> str | None:
    """The parameter at the start or in quotation marks of a message; None if there is none, or several."""
    named = {name for name in (*_BEGINS.findall(message), *_QUOTED.findall(message)) if name in PARAMETERS}
    return named.pop() if len(named) == 1 else None


def _type(status: int) -> ErrorType:
    if status == 429:
        return "rate_limit_error"
    if status == 503:
        return "service_unavailable_error"
    return "invalid_request_error" if status < 500 else "server_error"


def _plain(status: int) -> str:
    if 400 <= status < 500:
        return f"The upstream refused the request with status {status} and gave no reason."
    return "The upstream failed while it answered: try again."


# ---- what a body says ------------------------------------------------------------------------------------------


def _read(body: bytes, content_type: str) -> _Details:
    text = body.removeprefix(BOM_UTF8).decode(errors="replace").strip()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        is_html = "html" in content_type or text[:200].lstrip().lower().startswith(("<!doctype", "<html"))
        return _Details(from_html(text) if is_html else text)
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        return _of(value)
    return _Details(value if isinstance(value, str) else "")


def _of(document: Document) -> _Details:
    """The error in an object: under "error", at the top level, or under "detail" as in FastAPI."""
    inner = document.get("error")
    if isinstance(inner, dict) and inner:
        return _of_object(inner)
    detail = document.get("detail")
    if isinstance(detail, dict) and detail:
        return _of(detail)
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        return _of_finding(detail[0])
    details = _of_object(document)
    texts = (details.message, inner, detail, document.get("reason"), document.get("title"))
    details.message = next((text for text in texts if isinstance(text, str) and text), "")
    return details


def _of_object(error: Document) -> _Details:
    message = error.get("message", error.get("msg", error.get("error")))
    if isinstance(message, dict):
        return _of_object(message)
    code = error.get("code")
    type_ = error.get("type")
    param = error.get("param")
    return _Details(
        message=_unwrapped(message) if isinstance(message, str) else "",
        type=type_ if isinstance(type_, str) else "",
        param=param[:200] if isinstance(param, str) and param else None,
        code=code if isinstance(code, str) and _CODE.fullmatch(code) else None,
        status=_status(code) or _status(error.get("status")) or _status(error.get("status_code")),
    )


def _unwrapped(message: str) -> str:
    """The inner message if the message is itself an error in JSON."""
    if not message.lstrip().startswith("{"):
        return message
    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        return message
    return _of(value).message or message if isinstance(value, dict) else message


def _of_finding(finding: Document) -> _Details:
    """The error for a field as pydantic reports it."""
    location, message = finding.get("loc"), finding.get("msg")
    param = _path(location[1:] if isinstance(location, list) and location[:1] == ["body"] else location)
    text = message if isinstance(message, str) else ""
    return _Details(f"{param}: {text}" if param and text else text, param=param, code="invalid_value")


def _path(location: Any) -> str | None:  # noqa: ANN401 - JSON
    """A location in a request in the API's notation: messages[0].content."""
    if not isinstance(location, list) or not location:
        return None
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return path.removeprefix(".")[:200]


def _status(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:4])
    return value if isinstance(value, int) and 400 <= value < 600 else None


def _is_bare_error(document: Document) -> bool:
    """Whether an object without choices is an error, and has no member of an answer."""
    if document.get("object") == "error" or document.get("type") == "error":
        return True
    if "detail" in document or isinstance(document.get("message"), str):
        return not document.keys() & {"choices", "data", "id", "usage"}
    return False
