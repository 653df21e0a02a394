"""A curl command that repeats a recorded request, for bash and zsh."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from gonogo.addresses import url_of
from gonogo.exchange import header
from gonogo.redaction import REDACTED, WRONG_KEY

if TYPE_CHECKING:
    from gonogo.exchange import Request

KEY = '"Authorization: Bearer ${GONOGO_API_KEY:-$OPENAI_API_KEY}"'
"""The header with the key, which the shell expands when the command runs."""

HASHES = r"#\043"
"""In the logs of Azure Pipelines and TeamCity, two hashes begin a command."""

_SENT_BY_CURL = frozenset({"host", "user-agent", "connection", "content-length", "authorization"})
_OMITTED = frozenset({("accept", "*/*"), ("accept-encoding", "identity")})


def curl(request: Request, base_url: str) -> str:
    """One line that repeats the request and shows status, headers, and the body as it arrives.

    `base_url` is the target's. For the key of a request, the command uses GONOGO_API_KEY, or else OPENAI_API_KEY; for
    another header with a redacted value, it uses a variable of the header's name (API_KEY for api-key).
    """
    url = url_of(base_url, request.path)
    words = ["curl", "-sS", "-i", *(["-N"] if _is_stream(request) else []), *_method(request)]
    words += ["-g"] if re.search(r"[\[\]{}]", url) else []  # curl would expand these as a range of URLs
    words += ["--path-as-is"] if re.search(r"/\.\.?(/|$)", url) else []
    words.append(quote(_encoded(url)))
    words += [word for pair in _headers(request) for word in ("-H", pair)]
    if not request.body:
        return " ".join(words)
    if b"\0" in request.body:  # a command-line argument cannot contain NUL
        octal = "".join(f"\\{byte:03o}" for byte in request.body)
        return f"printf '{octal}' | {' '.join([*words, '--data-binary', '@-'])}"
    return " ".join([*words, "--data-raw", quote(request.body)])


def quote(data: bytes) -> str:
    r"""The bytes as one word of the shell: '…', or $'…' if '…' could control a terminal or a CI run."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return _dollar_quote(data)
    return shlex.quote(text) if text.isprintable() and "##" not in text else _dollar_quote(data)


def _encoded(text: str) -> bytes:
    """The bytes as they were sent; a lone surrogate, which stored evidence may contain, is encoded as in UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _dollar_quote(data: bytes) -> str:
    escaped = {ord("\\"): r"\\", ord("'"): r"\'", ord("\n"): r"\n", ord("\r"): r"\r", ord("\t"): r"\t"}
    written = "".join(
        escaped.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}") for byte in data
    )
    return f"$'{written.replace('##', HASHES)}'"


def _method(request: Request) -> list[str]:
    implied = "POST" if request.body else "GET"
    if request.method == "HEAD":
        return ["-I"]
    return [] if request.method == implied else ["-X", quote(_encoded(request.method))]


def _headers(request: Request) -> list[str]:
    words = [
        _from_shell(name) if value == REDACTED else quote(_encoded(f"{name}: {value}"))
        for name, value in request.headers
        if name.lower() not in _SENT_BY_CURL and (name.lower(), value) not in _OMITTED
    ]
    if request.body and header(request.headers, "content-type") is None:
        words.append("'Content-Type:'")  # curl would send the type of a form
    authorization = header(request.headers, "authorization")
    if authorization is not None:
        words.append(quote(f"Authorization: {WRONG_KEY}".encode()) if authorization == WRONG_KEY else KEY)
    return words


def _from_shell(name: str) -> str:
    if name.lower() == "x-api-key":  # the suite sends it with the run's key
        return KEY.replace("Authorization: Bearer ", "x-api-key: ")
    variable = re.sub(r"\W", "_", name).upper()
    return f'"{name}: ${variable}"'


def _is_stream(request: Request) -> bool:
    return request.fields.get("stream") is True
