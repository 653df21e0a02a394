"""A gateway in front of another server: what it forwards, and what clients see if that fails."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.compose import application
from server.conftest import listen
from server.providers.upstreams import (
    DONE,
    FIRST,
    HELLO,
    LAST,
    STREAM,
    STREAMED,
    chunk,
    dying,
    gateway,
    gone,
    http,
    read,
    replying,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gonogo_server.compilation.worker import Worker
    from gonogo_server.engine.scripted import ScriptedEngine
    from gonogo_server.settings import Settings
    from starlette.types import ASGIApp, Receive, Scope, Send

pytestmark = pytest.mark.anyio

CHAT = "/chat/completions"
REFUSED = {
    "detail": "Traceback (most recent call last): File '/srv/app.py', line 3 at http://10.0.0.7:8080 with key canary"
}


@pytest.fixture
def nobody() -> Iterator[str]:
    """A base URL on which nothing listens and nothing else can."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/v1"


def events(text: str) -> list[str]:
    return [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]


async def test_a_sound_server_is_passed_on_byte_by_byte() -> None:
    async with listen(replying(*STREAM)) as upstream, gateway(upstream.base_url) as client:
        response = await client.post(CHAT, json=STREAMED)
        assert response.content == b"".join(STREAM)
        assert response.headers["content-type"].startswith("text/event-stream")


async def test_a_request_is_forwarded_unchanged_with_unknown_fields() -> None:
    seen: list[tuple[str, bytes, dict[str, str]]] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        seen.append((scope["path"], await read(receive), headers))
        await replying(*STREAM)(scope, _again, send)

    sent = json.dumps({**STREAMED, "top_k": 3, "temperature": 0.50}).encode()
    async with listen(http(noting)) as upstream, gateway(upstream.base_url) as client:
        headers = {"content-type": "application/json", "authorization": "Bearer client", "x-request-id": "r1"}
        await client.post(CHAT, content=sent, headers=headers)
    [(path, body, passed)] = seen
    assert (path, body) == ("/v1/chat/completions", sent)
    assert passed["x-request-id"] == "r1"
    assert "authorization" not in passed


async def test_a_provider_is_named_in_the_path_or_before_the_model(
    engine: ScriptedEngine, settings: Settings, worker: Worker
) -> None:
    async with (
        listen(application(engine, settings, worker=worker)) as upstream,
        gateway(upstream.base_url) as client,
    ):
        hello = {**HELLO, "model": "lab/org/scripted"}
        answered = await client.post(CHAT, json=hello)
        assert answered.json()["model"] == "org/scripted"
        root = str(client.base_url).removesuffix("/v1/")
        listed = (await client.get(f"{root}/lab/v1/models")).json()["data"]
        assert [model["id"] for model in listed] == ["scripted", "org/scripted"]
        for path in ("/lab/v1/models/org/scripted", "/v1/models/lab%2Forg%2Fscripted"):
            found = await client.get(root + path)
            assert found.json()["id"].endswith("org/scripted")
        unknown = await client.post(f"{root}/other/v1{CHAT}", json=hello)
        assert unknown.status_code == 404
        assert unknown.json()["error"]["code"] == "unknown_provider"
        assert "use one of lab" in unknown.json()["error"]["message"]


async def test_an_invalid_request_never_reaches_the_upstream(
    keeps_contract: Callable[[str, object], None],
) -> None:
    async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError

    async with listen(http(never)) as upstream, gateway(upstream.base_url) as client:
        refused = await client.post(CHAT, json={**HELLO, "temperature": "hot"})
        assert refused.status_code == 400
        assert refused.json()["error"]["param"] == "temperature"
        keeps_contract("ErrorEnvelope", refused.json())


async def test_an_upstream_that_cannot_be_reached_is_a_502(nobody: str) -> None:
    async with gateway(nobody) as client:
        refused = await client.post(CHAT, json=HELLO)
        assert refused.status_code == 502
        assert refused.json()["error"]["code"] == "upstream_unreachable"
        assert "127.0.0.1" not in refused.text


async def test_an_upstream_that_does_not_answer_in_time_is_a_504() -> None:
    async def silent(_scope: Scope, receive: Receive, _send: Send) -> None:
        await gone(receive)

    async with (
        listen(http(silent)) as upstream,
        gateway(upstream.base_url, lab={"idle_timeout": 0.05}) as client,
    ):
        late = await client.post(CHAT, json=HELLO)
        assert late.status_code == 504
        assert late.json()["error"]["code"] == "upstream_timeout"


@pytest.mark.parametrize(
    ("status", "told"), [(400, 400), (422, 400), (401, 502), (429, 429), (500, 502), (418, 418)]
)
async def test_an_error_of_the_upstream_has_our_form_and_no_details_of_it(
    status: int, told: int, keeps_contract: Callable[[str, object], None]
) -> None:
    body = json.dumps(REFUSED).encode()
    app = replying(body, status=status, media_type="application/json", headers=((b"retry-after", b"7"),))
    async with listen(app) as upstream, gateway(upstream.base_url) as client:
        refused = await client.post(CHAT, json=HELLO)
        assert refused.status_code == told
        keeps_contract("ErrorEnvelope", refused.json())
        for secret in ("10.0.0.7", "app.py", "Traceback"):
            assert secret not in refused.text
        if status == 429:
            assert refused.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ((FIRST, chunk("Hel")), "Hel"),
        ((FIRST, chunk("Hel"), b'data: {"error": {"message": "out of memory", "code": 500}}\n\n'), "Hel"),
        ((FIRST, chunk("Hel"), b"data: {oops\n\n"), "Hel"),
        ((FIRST, chunk("Hel"), DONE), "Hel"),
    ],
    ids=["cut", "error", "unreadable", "done without a finish"],
)
async def test_a_stream_without_a_finish_ends_in_an_error_and_never_in_done(
    pieces: tuple[bytes, ...], text: str, keeps_contract: Callable[[str, object], None]
) -> None:
    async with listen(replying(*pieces)) as upstream, gateway(upstream.base_url) as client:
        *good, last = events((await client.post(CHAT, json=STREAMED)).text)
        assert "".join(json.loads(event)["choices"][0]["delta"].get("content", "") for event in good) == text
        keeps_contract("ErrorEnvelope", json.loads(last))


async def test_a_stream_that_fails_before_its_first_event_has_a_status() -> None:
    broken = replying(b'data: {"error": {"message": "no such adapter", "code": 404}}\n\n')
    async with listen(broken) as upstream, gateway(upstream.base_url) as client:
        assert (await client.post(CHAT, json=STREAMED)).status_code == 404


async def test_a_missing_done_is_sent_counted_and_named() -> None:
    async with (
        listen(replying(FIRST, chunk("Hello"), LAST)) as upstream,
        gateway(upstream.base_url, metrics=True, mark_repairs=True) as client,
    ):
        assert events((await client.post(CHAT, json=STREAMED)).text)[-1] == "[DONE]"
        root = str(client.base_url).removesuffix("/v1/")
        figures = (await client.get(f"{root}/metrics")).text
        assert 'gonogo_repairs_total{provider="lab",rule="chat.stream.done"} 1.0' in figures


async def test_the_rules_that_a_whole_answer_was_repaired_by_are_named_where_that_is_wanted() -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    body = {"id": "c1", "object": "chat", "created": 1_700_000_000, "model": "m", "choices": [choice]}
    app = replying(json.dumps(body).encode(), media_type="application/json")
    async with listen(app) as upstream, gateway(upstream.base_url, mark_repairs=True) as client:
        assert "chat.response.object" in (await client.post(CHAT, json=HELLO)).headers["x-gonogo-repairs"]
    async with listen(app) as upstream, gateway(upstream.base_url) as client:
        assert "x-gonogo-repairs" not in (await client.post(CHAT, json=HELLO)).headers


async def test_the_request_to_the_upstream_is_closed_when_the_client_disconnects() -> None:
    left = asyncio.Event()

    async def until_gone(receive: Receive) -> None:
        await gone(receive)
        left.set()

    async with (
        listen(replying(FIRST, after=until_gone)) as upstream,
        gateway(upstream.base_url) as client,
    ):
        async with client.stream("POST", CHAT, json=STREAMED) as response:
            await anext(response.aiter_bytes())
        await left.wait()


async def test_a_request_that_has_not_begun_is_asked_of_the_other_server(nobody: str) -> None:
    async with listen(replying(*STREAM)) as upstream, gateway(nobody, upstream.base_url) as client:
        answers = await asyncio.gather(*(client.post(CHAT, json=STREAMED) for _ in range(8)))
        assert [answer.content for answer in answers] == [b"".join(STREAM)] * 8


async def test_one_killed_of_two_servers_loses_no_request_that_had_not_begun_to_stream() -> None:
    """Fifty clients; the killed server has begun to answer some of its requests, and received the others."""
    async with listen(replying(*STREAM)) as sound, dying(answered=5, expected=25) as (url, killed):
        async with gateway(url, sound.base_url) as client:
            answers = await asyncio.gather(*(client.post(CHAT, json=STREAMED) for _ in range(50)))
        assert killed.is_set()
    told = [events(answer.text)[-1] for answer in answers]
    assert told.count("[DONE]") == 45
    cut = [json.loads(last) for last in told if last != "[DONE]"]
    assert [each["error"]["code"] for each in cut] == ["upstream_failed"] * 5


async def test_the_key_of_the_upstream_is_nowhere_but_in_its_requests(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LAB_API_KEY", "canary")
    keys: list[bytes] = []

    async def echoing(scope: Scope, receive: Receive, send: Send) -> None:
        keys.append(dict(scope["headers"])[b"authorization"])
        await replying(keys[-1], status=500, media_type="text/plain")(scope, receive, send)

    async with listen(http(echoing)) as upstream, gateway(upstream.base_url, metrics=True) as client:
        refused = await client.post(CHAT, json=HELLO)
        root = str(client.base_url).removesuffix("/v1/")
        figures = (await client.get(f"{root}/metrics")).text
    assert keys[0] == b"Bearer canary"
    told = refused.text + str(refused.headers) + figures + caplog.text
    assert "canary" not in told


async def test_an_error_in_a_stream_contains_neither_key_nor_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LAB_API_KEY", "canary")
    said = json.dumps({"error": {"message": "canary at upstream.example is out of memory", "code": 500}})
    broken = replying(FIRST, chunk("Hel"), b"data: " + said.encode() + b"\n\n")
    async with listen(broken) as upstream, gateway(upstream.base_url) as client:
        told = (await client.post(CHAT, json=STREAMED)).text
    assert "is out of memory" in told
    assert "canary" not in told


MODELS = json.dumps(
    {"object": "list", "data": [{"id": "m", "object": "model", "created": 1_700_000_000, "owned_by": "x"}]}
)


def listing(*, unknown: int = 200) -> ASGIApp:
    """An upstream that answers every GET with its list, every chat, and chats for other models with a status."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = await read(receive)
        if scope["method"] == "GET":
            await replying(MODELS.encode(), media_type="application/json")(scope, _again, send)
        elif json.loads(body)["model"] != "m" and unknown != 200:
            await replying(b"Not Found", status=unknown, media_type="text/plain")(scope, _again, send)
        else:
            await replying(*STREAM)(scope, _again, send)

    return http(app)


async def _again() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def test_a_model_that_the_upstream_does_not_give_alone_is_found_in_its_list() -> None:
    async with listen(listing()) as upstream, gateway(upstream.base_url) as client:
        assert (await client.get("/models/m")).json()["id"] == "m"
        missing = await client.get("/models/other")
        assert missing.status_code == 404
        assert missing.json()["error"]["code"] == "model_not_found"


async def test_a_model_that_an_upstream_without_codes_does_not_list_is_not_found() -> None:
    async with listen(listing(unknown=404)) as upstream, gateway(upstream.base_url) as client:
        missing = await client.post(CHAT, json={**STREAMED, "model": "other"})
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")


async def test_an_unlisted_model_is_refused_where_the_report_says_that_the_upstream_takes_any(
    tmp_path: Path,
) -> None:
    report = tmp_path / "report.json"
    rules = [{"id": "errors.refused.unknown_model", "verdict": "warn", "reason": None, "cause": None}]
    report.write_text(json.dumps({"report_version": 2, "rules": rules}))
    async with listen(listing()) as upstream, gateway(upstream.base_url, quirks={"lab": report}) as client:
        assert (await client.post(CHAT, json=STREAMED)).status_code == 200
        missing = await client.post(CHAT, json={**STREAMED, "model": "other"})
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")
    async with listen(listing()) as upstream, gateway(upstream.base_url) as client:
        assert (await client.post(CHAT, json={**STREAMED, "model": "other"})).status_code == 200


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"[]"), (200, b'{"object": "list", "data": []}'), (404, b"Not Found"), (200, b"{oops")],
    ids=["bare", "empty", "none", "unreadable"],
)
async def test_a_server_without_a_list_of_models_has_those_that_were_checked(
    status: int, body: bytes, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    rules = [{"id": "models.list.status", "verdict": "fail", "reason": None, "cause": None}]
    target = {"model": "m", "embedding_model": None}
    report.write_text(json.dumps({"report_version": 2, "target": target, "rules": rules}))
    app = replying(body, status=status, media_type="application/json")
    async with listen(app) as upstream, gateway(upstream.base_url, quirks={"lab": report}) as client:
        assert [each["id"] for each in (await client.get("/models")).json()["data"]] == ["m"]


async def test_a_server_that_gives_any_model_is_asked_for_its_list_alone(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    rules = [{"id": "models.retrieve.unknown", "verdict": "fail", "reason": None, "cause": None}]
    report.write_text(json.dumps({"report_version": 2, "rules": rules}))
    app = replying(MODELS.encode(), media_type="application/json")
    async with listen(app) as upstream, gateway(upstream.base_url, quirks={"lab": report}) as client:
        assert (await client.get("/models/m")).json()["id"] == "m"
        assert (await client.get("/models/other")).status_code == 404
