"""The log: a start and an end for each request with its id, the events between, and nothing confidential."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import structlog
from gonogo_server import events
from gonogo_server.engine.scripted import Failure, ScriptedEngine
from gonogo_server.errors import EngineDied
from gonogo_server.exchange import Exchange
from gonogo_server.operations import logs
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from contextlib import AbstractContextManager

    from gonogo_server.operations.logs import LogFormat
    from server.operations.conftest import Logged, Process

    Serving = Callable[..., AbstractContextManager[Process]]
    Until = Callable[[Callable[[], object]], Awaitable[None]]

pytestmark = pytest.mark.anyio

CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Tell no one"}], "max_tokens": 5}
STREAM = {**CHAT, "stream": True}
PROMPT_TOKENS = len("user: Tell no one\nassistant: ") + 1


async def ask(client: httpx2.AsyncClient, body: dict[str, Any], request_id: str | None = None) -> str:
    """The id of a finished exchange."""
    headers = {} if request_id is None else {"x-request-id": request_id}
    response = await client.post("/chat/completions", json=body, headers=headers)
    return response.headers["x-request-id"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_request_has_one_start_and_one_end_under_the_id_of_its_response(
    live: httpx2.AsyncClient, logged: Logged, *, stream: bool
) -> None:
    started, finished = logged.of(await ask(live, {**CHAT, "stream": stream}))
    assert started["event"] == "request_started"
    assert (started["operation"], started["model"]) == ("create_chat_completion", "scripted")
    assert started["stream"] is stream
    assert "prompt" not in started
    assert finished["event"] == "request_finished"
    assert (finished["status"], finished["model"], finished["stream"]) == (200, "scripted", stream)
    assert (finished["finish_reason"], finished["error"]) == ("length", None)
    assert (finished["prompt_tokens"], finished["completion_tokens"]) == (PROMPT_TOKENS, 5)
    assert 0 < finished["first_token_seconds"] <= finished["seconds"]


async def test_cached_tokens_are_reported(live: httpx2.AsyncClient, logged: Logged) -> None:
    first, second = [logged.of(await ask(live, CHAT))[-1] for _ in range(2)]
    assert first["cached_tokens"] == 0
    assert 0 < second["cached_tokens"] <= second["prompt_tokens"]


async def test_each_of_many_concurrent_requests_is_found_by_its_id(
    live: httpx2.AsyncClient, logged: Logged
) -> None:
    limits = range(1, 9)
    await asyncio.gather(*(ask(live, {**STREAM, "max_tokens": n}, f"asked-{n}") for n in limits))
    for n in limits:
        started, finished = logged.of(f"asked-{n}")
        assert (started["event"], finished["event"]) == ("request_started", "request_finished")
        assert finished["completion_tokens"] == n


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "operation", "error"),
    [
        ("GET", "/models", None, 200, "list_models", None),
        ("GET", "/models/other", None, 404, "retrieve_model", "model_not_found"),
        ("GET", "/nothing", None, 404, "other", "unknown_url"),
        ("GET", "/completions", None, 405, "create_completion", "method_not_allowed"),
        ("POST", "/completions", {"model": 5}, 400, "create_completion", "invalid_type"),
        (
            "POST",
            "/completions",
            {"model": "x" * 900, "prompt": "a"},
            404,
            "create_completion",
            "model_not_found",
        ),
    ],
)
async def test_a_refusal_is_logged_with_its_status_and_code(
    client: httpx2.AsyncClient,
    logged: Logged,
    method: str,
    path: str,
    body: object,
    status: int,
    operation: str,
    error: str | None,
) -> None:
    response = await client.request(method, path, json=body)
    started, finished = logged.of(response.headers["x-request-id"])
    assert started["event"] == "request_started"
    assert (finished["status"], finished["operation"], finished["error"]) == (status, operation, error)
    assert len(str(finished["model"])) < 250


@pytest.mark.parametrize("path", ["/health", "/metrics"])
@pytest.mark.parametrize("settings", [Settings(metrics=True)])
async def test_probes_are_not_logged(client: httpx2.AsyncClient, logged: Logged, path: str) -> None:
    assert (await client.get(f"http://server{path}")).status_code == 200
    assert logged.events == []


async def test_a_bug_before_the_answer_is_reported_as_a_bug(
    live: httpx2.AsyncClient, engine: ScriptedEngine, logged: Logged
) -> None:
    engine.failure = Failure(0, ZeroDivisionError("the cause"))
    _, finished = logged.of(await ask(live, CHAT))
    assert (finished["status"], finished["error"], finished["level"]) == (500, "internal_error", "warning")
    assert "the cause" in logged.text


@pytest.mark.parametrize(
    ("failure", "error", "level"),
    [
        (EngineDied("It died: start it again.", code="engine_died"), "engine_died", "warning"),
        (ZeroDivisionError("the cause"), "internal_error", "error"),
    ],
    ids=repr,
)
async def test_a_failed_stream_is_logged_with_the_reason_and_a_bug_with_its_trace(
    live: httpx2.AsyncClient,
    engine: ScriptedEngine,
    logged: Logged,
    failure: Exception,
    error: str,
    level: str,
) -> None:
    engine.failure = Failure(2, failure)
    _, failed, finished = logged.of(await ask(live, STREAM))
    assert (failed["event"], failed["error"], failed["level"]) == ("stream_failed", error, level)
    assert failed["reason"] == str(failure)
    assert ("Traceback" in failed.get("exception", "")) is (level == "error")
    assert (finished["error"], finished["status"], finished["finish_reason"]) == (error, 200, None)
    assert finished["completion_tokens"] == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_a_disconnect_of_the_client_is_logged(
    live: httpx2.AsyncClient, engine: ScriptedEngine, logged: Logged, until: Until, *, stream: bool
) -> None:
    never = asyncio.Semaphore(2)
    engine._gate = never.acquire
    asking = asyncio.create_task(ask(live, {**CHAT, "stream": stream}, "leaver"))
    await until(lambda: engine.running and never.locked())
    asking.cancel()
    await until(lambda: logged.named("request_finished"))
    _, gone, finished = logged.of("leaver")
    assert gone["event"] == "client_disconnected"
    assert finished["error"] == "client_disconnected"
    assert finished["prompt_tokens"] == PROMPT_TOKENS


# ---- what is confidential --------------------------------------------------------------------------------

BODIES = [
    ("/chat/completions", CHAT),
    ("/chat/completions", STREAM),
    ("/completions", {"model": "scripted", "prompt": "Tell no one", "suffix": "Tell no one"}),
    ("/completions", {"model": "scripted", "prompt": ["Tell no one"], "stream": True}),
    ("/embeddings", {"model": "scripted", "input": "Tell no one"}),
    ("/chat/completions", {**CHAT, "messages": [{"role": "Tell no one", "content": "Tell no one"}]}),
    ("/chat/completions", {**CHAT, "response_format": {"type": "Tell no one"}}),
]
KEY = "sk-s3cret"


async def ask_all(client: httpx2.AsyncClient, engine: ScriptedEngine) -> None:
    """Requests that are answered, refused, or fail, each with a key and a prompt."""
    for failure in (None, Failure(0, EngineDied("Start it again.")), Failure(2, ZeroDivisionError())):
        engine.failure = failure
        for path, body in BODIES:
            await client.post(f"{path}?key={KEY}", json=body, headers={"authorization": f"Bearer {KEY}"})
    await client.post("/completions", json=CHAT, headers={"authorization": f"Bearer not-{KEY}"})


@pytest.mark.parametrize("settings", [Settings(api_key=KEY)])
async def test_neither_keys_nor_prompts_are_in_anything_that_is_logged(
    live: httpx2.AsyncClient, engine: ScriptedEngine, logged: Logged
) -> None:
    await ask_all(live, engine)
    assert len(logged.named("request_finished")) == 3 * len(BODIES) + 1
    assert KEY not in logged.text
    assert "Tell no one" not in logged.text


@pytest.mark.parametrize("settings", [Settings(log_prompts=True, api_key=KEY)])
async def test_prompts_are_logged_where_that_is_asked_for_and_keys_are_not(
    live: httpx2.AsyncClient, engine: ScriptedEngine, logged: Logged
) -> None:
    await ask_all(live, engine)
    prompts = [event["prompt"] for event in logged.named("request_started") if "prompt" in event]
    assert {"messages": CHAT["messages"]} in prompts
    assert {"prompt": "Tell no one", "suffix": "Tell no one"} in prompts
    assert {"input": "Tell no one"} in prompts
    assert KEY not in logged.text


def test_neither_is_in_what_a_process_writes(serving: Serving) -> None:
    with serving("--log-format", "json", api_key=KEY) as server:
        ask_process(server)
        rest, written = server.stop()
    assert rest == ""
    told = [json.loads(line) for line in written.splitlines()]
    assert [event["error"] for event in told if event["event"] == "request_finished"] == [
        None,
        "invalid_api_key",
    ]
    assert KEY not in written
    assert "Tell no one" not in written


def ask_process(server: Process) -> None:
    """Two requests with a key and a prompt; the key of one is the server's."""
    for key in (KEY, f"not-{KEY}"):
        headers = {"authorization": f"Bearer {key}"}
        httpx2.post(f"{server.base_url}/chat/completions?key={KEY}", json=CHAT, headers=headers)


# ---- the events and where they go ------------------------------------------------------------------------


def tell_all() -> list[str]:
    """Call every event function once; returns their names, in the order of the calls."""
    events.request_started("op", "m", stream=True)
    events.request_finished("op", Exchange(), 200)
    events.stream_failed(EngineDied("x"), "engine_died")
    events.answer_repaired("lab", {"chat.stream.done": 1})
    events.client_disconnected()
    events.response_not_stored("database or disk is full")
    events.model_loading("m")
    events.model_loaded("m", seconds=1.0, memory_bytes=5)
    events.model_evicted("m", memory_bytes=5, in_favour_of="n")
    events.model_unloaded("m", idle_seconds=3)
    events.model_load_failed("m", "why")
    events.engine_died("why")
    events.drain_started(1, 25)
    events.server_stopping(0)
    return [name for name in tell_all.__code__.co_names if name in vars(events)]


def test_every_log_function_writes_the_event_of_its_name(logged: Logged) -> None:
    names = tell_all()
    assert [event["event"] for event in logged.events] == names
    functions = {n for n, f in vars(events).items() if getattr(f, "__module__", "") == events.__name__}
    assert functions - {"_short", "bind_request"} == set(names)


def test_the_docs_list_the_events_that_there_are(logged: Logged) -> None:
    paper = (Path(__file__).resolve().parents[3] / "docs/server.md").read_text()
    section = paper.partition("## Log events")[2].partition("\n#")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == tell_all()


@contextmanager
def configured(log_format: LogFormat) -> Iterator[None]:
    """The log of this process in the form of `--log-format`."""
    root, ours = logging.getLogger(), logging.getLogger(events.LOGGER)
    handlers, levels = root.handlers[:], (root.level, ours.level)
    root.handlers[:] = []  # so that the log does not close pytest's handlers
    logs.configure(log_format)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
        structlog.contextvars.clear_contextvars()


def fail() -> None:
    try:
        _ = 1 // 0
    except ZeroDivisionError as error:
        events.stream_failed(error, "internal_error")
        logging.getLogger("library").exception("It broke.")


def test_json_is_one_object_a_line_for_libraries_too(capsys: pytest.CaptureFixture[str]) -> None:
    with configured("json"):
        events.bind_request("r1")
        events.model_loading("a b")
        fail()
        logging.getLogger("library").info("never mind")
    loading, failed, broke = map(json.loads, capsys.readouterr().err.splitlines())
    assert loading == {
        "event": "model_loading",
        "model": "a b",
        "request_id": "r1",
        "level": "info",
        "timestamp": loading["timestamp"],
    }
    assert failed["exception"].endswith("ZeroDivisionError: integer division or modulo by zero")
    assert (broke["event"], broke["logger"], broke["request_id"]) == ("It broke.", "library", "r1")
    assert failed["exception"] == broke["exception"]


def test_a_name_from_outside_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with configured("console"):
        events.request_started("op", "m\nrequest_finished", stream=None)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert r"'m\nrequest_finished'" in told


def test_off_leaves_the_failures_of_the_server_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with configured("console"), configured("off"):
        events.model_loading("m")
        logging.getLogger("library").warning("never mind")
        assert capsys.readouterr().err == ""
        fail()
        events.engine_died("why")
    told = capsys.readouterr().err
    assert told.count("Traceback") == 2
    assert "engine_died" in told
