"""Upstreams that die at any point of an answer, or do not finish in time, and what clients see."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from server.conftest import listen
from server.providers.upstreams import (
    DONE,
    FIRST,
    HEAD,
    HELLO,
    LAST,
    STREAMED,
    chunk,
    for_ever,
    gateway,
    hanging_up,
    in_chunks,
    replying,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

CHAT = "/chat/completions"
JSON = "application/json"


def events(text: str) -> list[str]:
    return [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]


@pytest.mark.parametrize("asked", [HELLO, STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\ncontent-ty", HEAD, HEAD + in_chunks(FIRST[:20])],
    ids=["before its head", "in its head", "behind its head", "in its first event"],
)
async def test_an_upstream_that_dies_before_its_answer_is_a_502(
    asked: dict[str, object], said: bytes, keeps_contract: Callable[[str, object], None]
) -> None:
    async with hanging_up(said) as url, gateway(url) as client:
        failed = await client.post(CHAT, json=asked)
    assert failed.status_code == 502
    assert failed.headers["content-type"].startswith(JSON)
    keeps_contract("ErrorEnvelope", failed.json())


@pytest.mark.parametrize(
    "cut", [b"", chunk("lo")[:60], LAST[:-20]], ids=["between events", "in an event", "in the finish"]
)
async def test_a_stream_whose_upstream_dies_keeps_its_text_and_ends_in_an_error(
    cut: bytes, keeps_contract: Callable[[str, object], None]
) -> None:
    said = HEAD + in_chunks(FIRST, chunk("Hel"), *([cut] if cut else []))
    async with hanging_up(said) as url, gateway(url) as client:
        answer = await client.post(CHAT, json=STREAMED)
    *good, last = events(answer.text)
    assert "".join(json.loads(each)["choices"][0]["delta"].get("content", "") for each in good) == "Hel"
    keeps_contract("ErrorEnvelope", json.loads(last))


async def test_a_stream_whose_upstream_dies_behind_its_finish_is_whole() -> None:
    async with (
        hanging_up(HEAD + in_chunks(FIRST, chunk("Hello"), LAST)) as url,
        gateway(url) as client,
    ):
        answer = await client.post(CHAT, json=STREAMED)
    assert answer.content == b"".join((FIRST, chunk("Hello"), LAST, DONE))


async def test_a_whole_answer_that_breaks_off_is_a_502() -> None:
    said = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"choices": ['
    async with hanging_up(said) as url, gateway(url) as client:
        failed = await client.post(CHAT, json=HELLO)
    assert (failed.status_code, failed.json()["error"]["code"]) == (502, "upstream_failed")


async def test_an_upstream_that_is_not_done_within_the_time_of_a_request_is_a_504() -> None:
    async with (
        listen(replying(media_type=JSON, after=for_ever)) as upstream,
        gateway(upstream.base_url, request_timeout=0.05) as client,
    ):
        late = await client.post(CHAT, json=HELLO)
    assert (late.status_code, late.json()["error"]["code"]) == (504, "upstream_timeout")


async def test_a_stream_of_an_upstream_that_takes_longer_than_a_request_may_ends_in_an_error() -> None:
    async with (
        listen(replying(FIRST, chunk("Hel"), after=for_ever)) as upstream,
        gateway(upstream.base_url, request_timeout=0.2) as client,
    ):
        *_, last = events((await client.post(CHAT, json=STREAMED)).text)
    assert json.loads(last)["error"]["code"] == "upstream_timeout"


CANARY = b"canary-0123456789"


@pytest.mark.parametrize(
    ("status", "media_type", "said"),
    [
        (500, "text/plain", b"Bearer " + CANARY),
        (401, JSON, b'{"error": {"message": "Incorrect API key: %b", "code": "%b"}}' % (CANARY, CANARY)),
        (429, JSON, b'{"detail": [{"loc": ["%b"], "msg": "%b", "type": "%b"}]}' % (CANARY, CANARY, CANARY)),
        (200, JSON, b"Your key is " + CANARY),
        (200, JSON, b'{"error": {"message": "%b", "type": "%b", "param": "%b"}}' % (CANARY, CANARY, CANARY)),
        (
            200,
            "text/event-stream",
            b'data: {"error": {"message": "%b", "code": "%b"}}\n\n' % (CANARY, CANARY),
        ),
    ],
    ids=["words", "wrong key", "detail", "no JSON", "error with 200", "error event"],
)
@pytest.mark.parametrize("asked", [HELLO, STREAMED], ids=["whole", "streamed"])
async def test_no_error_header_log_or_metric_contains_the_key_that_an_upstream_leaks(
    status: int,
    media_type: str,
    said: bytes,
    asked: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("LAB_API_KEY", CANARY.decode())
    caplog.set_level("INFO")
    headers = ((b"x-key", CANARY), (b"retry-after", CANARY), (b"x-request-id", CANARY))
    app = replying(said, status=status, media_type=media_type, headers=headers)
    async with (
        listen(app) as upstream,
        gateway(upstream.base_url, metrics=True, mark_repairs=True) as client,
    ):
        refused = await client.post(CHAT, json=asked)
        listed = await client.get("/models")
        root = str(client.base_url).removesuffix("/v1/")
        figures = (await client.get(f"{root}/metrics")).text
    assert refused.status_code >= 400
    told = "".join(answer.text + str(answer.headers) for answer in (refused, listed))
    assert CANARY.decode() not in told + figures + caplog.text
