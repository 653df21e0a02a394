"""Base URLs: paths are appended to them, and their query is sent with every request (Azure's `?api-version=…`).

A query value whose name looks like a credential is never shown.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit, urlunsplit

from gonogo.redaction import REDACTED, looks_secret


def tidy(base_url: str) -> str:
    """The base URL without a trailing "/" in its path."""
    root, query = parted(base_url)
    return f"{root}?{query}" if query else root


def parted(base_url: str) -> tuple[str, str]:
    """The base URL without its query and a trailing "/", and the query ("" if there is none)."""
    root, _, query = base_url.partition("?")
    return root.rstrip("/"), query


def url_of(base_url: str, path: str) -> str:
    """The URL of a request with this path; `path` begins with "/" and may have a query."""
    root, query = parted(base_url)
    return root + with_query(path, query)


def with_query(path: str, query: str) -> str:
    """The path with the query of the base URL appended."""
    if not query:
        return path
    return f"{path}{'&' if '?' in path else '?'}{query}"


def shown(base_url: str) -> str:
    """The base URL with each secret of its query as "[redacted]"."""
    parts = urlsplit(base_url)
    pairs = [pair.partition("=") for pair in parts.query.split("&")] if parts.query else []
    query = "&".join(name + is_set + _shown_value(name, value) for name, is_set, value in pairs)
    return urlunsplit(parts._replace(query=query))


def secrets_of(base_url: str) -> tuple[str, ...]:
    """The secrets in the query of a base URL, percent-decoded."""
    pairs = parse_qsl(parted(base_url)[1])
    return tuple(value for name, value in pairs if looks_secret(name))


def _shown_value(name: str, value: str) -> str:
    return REDACTED if value and looks_secret(name) else value
