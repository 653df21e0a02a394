"""The servers that are found on this machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from gonogo import discovery
from gonogo.cli.discovering import described
from gonogo.discovery import Found, discover

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result


def _answer(body: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


def _found(base_url: str) -> list[Found]:
    return asyncio.run(discover({urlsplit(base_url).port or 0: ("Some server",)}))


def test_a_server_is_found_with_its_models(reference_url: str) -> None:
    assert _found(reference_url) == [Found(reference_url, ("Some server",), ("scripted",))]


@pytest.mark.parametrize(
    ("answer", "servers", "models"),
    [
        (_answer('{"data": [{"id": "m", "owned_by": "vllm"}]}'), ("vLLM",), ("m",)),
        (_answer('{"data": []}'), ("Some server",), ()),
        (_answer("", "401 Unauthorized"), ("Some server",), None),
    ],
)
def test_a_server_is_named_by_its_models(
    answering: Callable[[bytes], str], answer: bytes, servers: tuple[str, ...], models: tuple[str, ...] | None
) -> None:
    (found,) = _found(answering(answer))

    assert (found.servers, found.models) == (servers, models)


@pytest.mark.parametrize(
    "answer", [_answer("<html>"), _answer("[]"), _answer("{}", "404 Not Found"), b"SSH-2.0-x\r\n"]
)
def test_other_servers_are_not_listed(answering: Callable[[bytes], str], answer: bytes) -> None:
    assert _found(answering(answer)) == []


def test_found_servers_are_listed_with_the_next_command() -> None:
    found = [
        Found("http://127.0.0.1:8000/v1", ("vLLM", "gonogo serve"), None),
        Found("http://127.0.0.1:11434/v1", ("Ollama",), ("a", "b", "c", "d")),
    ]

    assert described(found) == [
        "http://127.0.0.1:8000/v1   vLLM or gonogo serve; needs a key",
        "http://127.0.0.1:11434/v1  Ollama; 4 models: a, b, c and 1 more",
        "",
        "To check one of them: GONOGO_API_KEY=… gonogo check http://127.0.0.1:8000/v1",
    ]


def test_if_no_server_answers_the_ports_are_named(
    gonogo: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "PORTS", {})
    monkeypatch.setattr(discovery.discover, "__defaults__", ({}, 1.0))
    result = gonogo("check", "--discover")

    assert result.exit_code == 2
    assert "gonogo check URL" in result.stderr
