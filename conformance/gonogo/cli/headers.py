"""The headers that a run adds to every request, from the options."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from gonogo.errors import UsageError
from gonogo.redaction import OwnHeader, looks_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token, RFC 9110 section 5.6.2
_FRAMING = frozenset(
    {
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "expect",
        "te",
        "trailer",
        "upgrade",
    }
)


def own_headers(given: Iterable[str], from_variables: Iterable[str]) -> tuple[OwnHeader, ...]:
    """The headers of --header NAME=VALUE and --header-env NAME=VARIABLE.

    A value from a variable is a secret, and so is one whose name looks like a credential. Raises UsageError if a header
    cannot be sent or is named twice; its message never contains a value.
    """
    headers = (*_given(given), *_from_variables(from_variables))
    seen: set[str] = set()
    for header in headers:
        if header.name.lower() in seen:
            raise UsageError(f"The header {header.name} is given twice; remove one of them.")
        seen.add(header.name.lower())
    return headers


def _given(texts: Iterable[str]) -> Iterator[OwnHeader]:
    for text in texts:
        name, value = _parted(text, "--header", "NAME=VALUE, for example OpenAI-Organization=org-1")
        yield OwnHeader(name, _sendable(name, value), looks_secret(name))


def _from_variables(texts: Iterable[str]) -> Iterator[OwnHeader]:
    for text in texts:
        name, variable = _parted(text, "--header-env", "NAME=VARIABLE, for example api-key=AZURE_KEY")
        value = os.environ.get(variable)
        if not value:
            raise UsageError(f"--header-env {name}: the variable {variable} is not set or empty.")
        yield OwnHeader(name, _sendable(name, value), secret=True)


def _parted(text: str, option: str, form: str) -> tuple[str, str]:
    name, is_set, value = text.partition("=")
    if not is_set or not _NAME.fullmatch(name):
        raise UsageError(f"{option} lacks the name of the header; write it as {form}.")
    if name.lower() in _FRAMING:
        raise UsageError(f"{option} {name}: gonogo sets this header itself; remove the option.")
    return name, value.strip()


def _sendable(name: str, value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise UsageError(f"The value of the header {name} must be printable ASCII.")
    return value
