"""Inputs that stopped, froze or confused servers, sent to one process per engine: all answers are right.

Everything is bounded and harmless. Subjects with their own tests are tested there: `compilation`, `test_connection`,
`test_own_names`, `test_early_headers`, `requests/test_body`, `test_what_clients_send`, `operations`.
"""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Body = dict[str, Any]

PATIENCE = 60.0
ENGINES = {
    "scripted": ("--engine", "scripted", "--model", "scripted"),
    "mlx": ("--model", "smollm2", "--model", "minilm", "--max-running", "4"),
}
USER = {"role": "user", "content": "What is the capital of France?"}
CHAT, TEXTS, VECTORS = "/chat/completions", "/completions", "/embeddings"
RESPONSES, INPUT_TOKENS = "/responses", "/responses/input_tokens"
MESSAGES, COUNT_TOKENS = "/messages", "/messages/count_tokens"
DOORS = (CHAT, TEXTS, VECTORS, RESPONSES, INPUT_TOKENS, MESSAGES, COUNT_TOKENS)
ASKED: dict[str, Body] = {
    CHAT: {"messages": [USER], "max_tokens": 8, "temperature": 0},
    RESPONSES: {"input": [USER], "max_output_tokens": 16, "temperature": 0},
    INPUT_TOKENS: {"input": [USER]},
    MESSAGES: {"messages": [USER], "max_tokens": 8, "temperature": 0},
    COUNT_TOKENS: {"messages": [USER]},
}
"""A plain request for each path that takes schemas and tools."""
PLACES = {
    CHAT: ("response_format.json_schema.schema", "tools[0].function.parameters"),
    RESPONSES: ("text.format.schema", "tools[0].parameters"),
    MESSAGES: ("output_config.format.schema", "tools[0].input_schema"),
}
"""Where a request has the schema of its answer, and that of a tool."""
PLACES |= {INPUT_TOKENS: PLACES[RESPONSES], COUNT_TOKENS: PLACES[MESSAGES]}
STREAMS = (CHAT, RESPONSES, MESSAGES)


@dataclass(frozen=True)
class Served:
    """A server process; `model` generates, `vectors` embeds, if the engine has such a model."""

    engine: str
    base_url: str
    client: httpx2.Client
    process: subprocess.Popen[str]
    plain: dict[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> str:
        return "smollm2" if self.engine == "mlx" else "scripted"

    def post(self, path: str, body: Body | bytes, **headers: str) -> httpx2.Response:
        data = body if isinstance(body, bytes) else json.dumps({"model": self.model} | body).encode()
        return self.client.post(path, content=data, headers={"content-type": "application/json"} | headers)

    def ask(self, path: str, **more: object) -> httpx2.Response:
        return self.post(path, ASKED[path] | more)

    def chat(self, **more: object) -> httpx2.Response:
        return self.ask(CHAT, **more)

    def check_alive(self) -> None:
        """Check that the process is the same and healthy, and answers a plain question as at first."""
        assert self.process.poll() is None
        assert self.client.get(httpx2.URL(self.base_url).join("/health")).status_code == 200
        answer = self.chat().json()["choices"][0]["message"]["content"]
        assert answer == self.plain.setdefault("answer", answer)


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[[str], Served]]:
    """Starts the server of an engine on the first call; all tests use the same one, in whatever order they run."""
    with ExitStack() as running:
        yield cache(lambda engine: running.enter_context(serving(engine)))


@pytest.fixture(params=ENGINES)
def served(request: pytest.FixtureRequest, start: Callable[[str], Served]) -> Served:
    return start(request.param)


@contextmanager
def serving(engine: str) -> Iterator[Served]:
    """A server process, stopped at the end."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GONOGO_SERVER_")}
    options = (*ENGINES[engine], "--port", "0", "--log-format", "off")
    command = [sys.executable, "-m", "gonogo_server", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            assert process.stdout is not None
            base_url = next(line.split()[-1] for line in process.stdout if "listening on" in line)
            with httpx2.Client(base_url=base_url, timeout=PATIENCE) as client:
                server = Served(engine, base_url, client, process)
                server.check_alive()
                yield server
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def chain(length: int) -> Body:
    """A chain of references."""
    defs: Body = {"d0": {"type": "string"}}
    for number in range(1, length):
        defs[f"d{number}"] = {"type": "object", "properties": {"a": {"$ref": f"#/$defs/d{number - 1}"}}}
    return {"$ref": f"#/$defs/d{length - 1}", "$defs": defs}


LINK = {"$ref": "#/$defs/link"}
LINKED = {"type": "object", "properties": {"next": LINK}, "required": ["next"], "additionalProperties": False}
SCHEMAS: dict[str, Body] = {
    "demands itself": {**LINK, "$defs": {"link": LINKED}},
    "demands itself through allOf": {**LINK, "$defs": {"link": {"allOf": [LINKED]}}},
    "leads back to itself at once": {"$ref": "#"},
    "300 references in a row": chain(300),
    "6,000 schemas": {"type": "object", "properties": {f"p{n}": {"type": "null"} for n in range(6000)}},
    "3,000 values": {"enum": [f"v{n}" for n in range(3000)]},
    "a pattern of 2,000 characters": {"type": "string", "pattern": "a" * 2000},
    "look-around": {"type": "string", "pattern": "(?=a)b"},
    "300,000 bytes": {"description": "a" * 300_000},
    "an integer beyond 2^53": {"const": 2**53 + 1},
    "a number without end": {"const": 10**400},
    "no schema": {"type": "strng"},
}


def formed(path: str, schema: Body) -> Body:
    """The fields of a request whose answer has this schema."""
    named = {"type": "json_schema", "name": "x", "schema": schema, "strict": True}
    match path:
        case "/chat/completions":
            named.pop("type")
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        case "/responses" | "/responses/input_tokens":
            return {"text": {"format": named}}
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def with_tool(path: str, schema: Body) -> Body:
    """The fields of a request with a tool that takes this schema."""
    tool = {"name": "f", "strict": True}
    match path:
        case "/chat/completions":
            return {"tools": [{"type": "function", "function": tool | {"parameters": schema}}]}
        case "/responses" | "/responses/input_tokens":
            return {"tools": [tool | {"type": "function", "parameters": schema}]}
    return {"tools": [tool | {"input_schema": schema}]}


def refused(response: httpx2.Response, *statuses: int) -> Body:
    """The error of a refusal, which is in the envelope of its API and reveals no library state.

    That of messages has no param and no code: the message has the name.
    """
    assert response.status_code in statuses, response.text
    assert response.headers["content-type"] == "application/json"
    error: Body = response.json()["error"]
    if "/messages" in str(response.request.url):
        assert set(response.json()) == {"type", "error", "request_id"}
        assert set(error) == {"message", "type"}
    else:
        assert set(error) == {"message", "type", "param", "code"}
    assert len(error["message"]) < 1000
    assert "Traceback" not in error["message"]
    assert "<state>" not in error["message"]
    return error


def is_about(error: Body, param: str, code: str) -> bool:
    """Whether an error has this param and code, or is one of messages that names it."""
    if "param" in error:
        return (error["param"], error["code"]) == (param, code)
    return param in error["message"]


SURFACES = tuple(path for path in ASKED if path != CHAT)
"""The doors behind which chat is: what the models do with the same requests is seen there."""


@pytest.mark.parametrize(
    ("served", "path", "more"),
    [
        *((engine, CHAT, more) for engine in ENGINES for more in ({}, {"stream": True})),
        *(("scripted", path, {}) for path in SURFACES),
        *(("scripted", path, {"stream": True}) for path in SURFACES if path in STREAMS),
    ],
    ids=lambda value: value if isinstance(value, str) else "streamed" if value else "whole",
    indirect=["served"],
)
@pytest.mark.parametrize("name", SCHEMAS)
def test_no_schema_stops_it(served: Served, name: str, path: str, more: Body) -> None:
    schema, (form, tool) = SCHEMAS[name], PLACES[path]
    error = refused(served.ask(path, **more, **formed(path, schema)), 400)
    assert is_about(error, form, "invalid_json_schema"), error
    error = refused(served.ask(path, **more, **with_tool(path, schema)), 400)
    assert is_about(error, tool, "invalid_function_parameters"), error
    served.check_alive()


DEEP = b"[" * 100_000 + b"]" * 100_000
BODIES: dict[str, tuple[bytes, set[str]]] = {
    "100,000 arrays within each other": (b'{"model": "m", "messages": %s}' % DEEP, {"json_too_deep"}),
    "100,000 arrays as the input": (b'{"model": "m", "input": %s}' % DEEP, {"json_too_deep"}),
    "100,000 arrays and nothing else": (DEEP, {"json_too_deep"}),
    "a million members": (b'{"a": [%s0]}' % (b"0," * 1_000_000), {"json_too_large"}),
    "200,000 objects": (b'{"messages": [%s{}]}' % (b"{}," * 200_000), {"json_too_large"}),
    "cut off": (b'{"model": "m"', {"invalid_json"}),
    "no UTF-8": (b'{"model": "\xff"}', {"invalid_json"}),
    "a number of 100,000 digits": (
        b'{"model": %s}' % (b"1" * 100_000),
        {"invalid_json", "invalid_type", None},
    ),  # type: ignore[dict-item]  # some have no code
    "nothing": (b"", {"invalid_json"}),
}


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("name", BODIES)
def test_no_body_stops_it(served: Served, name: str, path: str) -> None:
    body, codes = BODIES[name]
    error = refused(served.post(path, body), 400)
    assert "code" not in error or error["code"] in codes
    served.check_alive()


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TURNS = [
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c", "name": "f", "content": "7"},
]
ITEMS = [
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "7"},
]
BLOCKS = [
    {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "7"}]},
]
THOUGHTS = {"role": "assistant", "content": [{"type": "thinking", "thinking": "word " * 20}] * 20_000}
WORDS = "word " * 800_000
LONG: dict[str, tuple[tuple[str, ...], Body]] = {
    "4,000 results of tools": ((CHAT,), {"messages": [USER, *TURNS * 4000]}),
    "4,000 outputs of functions": ((RESPONSES, INPUT_TOKENS), {"input": [USER, *ITEMS * 4000]}),
    "4,000 uses of tools": ((MESSAGES, COUNT_TOKENS), {"messages": [USER, *BLOCKS * 4000]}),
    "20,000 short messages": ((CHAT, MESSAGES, COUNT_TOKENS), {"messages": [USER] * 20_000}),
    "20,000 short items": ((RESPONSES, INPUT_TOKENS), {"input": [USER] * 20_000}),
    "20,000 messages of 300 bytes": (
        (MESSAGES, COUNT_TOKENS),
        {"messages": [{"role": "user", "content": "word " * 60}] * 20_000},
    ),
    "a message of 4 MB": ((CHAT, MESSAGES, COUNT_TOKENS), {"messages": [USER | {"content": WORDS}]}),
    "an input of 4 MB": ((RESPONSES, INPUT_TOKENS), {"input": WORDS}),
    "instructions of 4 MB": ((RESPONSES, INPUT_TOKENS), {"input": "Hi", "instructions": WORDS}),
    "a system of 4 MB": ((MESSAGES, COUNT_TOKENS), {"messages": [USER], "system": WORDS}),
    "a prompt of 4 MB": ((TEXTS,), {"prompt": WORDS}),
    "a prompt of 100,000 tokens": ((TEXTS,), {"prompt": [5] * 100_000}),
}


@pytest.mark.parametrize(
    ("served", "path", "name"),
    [
        (engine, path, name)
        for engine in ENGINES
        for name, (paths, _) in LONG.items()
        for path in paths
        if engine == "scripted" or path not in SURFACES
    ],
    indirect=["served"],
)
def test_nothing_long_stops_it(served: Served, name: str, path: str) -> None:
    _, body = LONG[name]
    error = refused(served.post(path, {**ASKED.get(path, {}), **body}), 400)
    assert error.get("code", "context_length_exceeded") == "context_length_exceeded"
    assert "maximum context length" in error["message"]
    served.check_alive()


@pytest.mark.parametrize("served", ["scripted"], indirect=True)
@pytest.mark.parametrize("path", [MESSAGES, COUNT_TOKENS])
def test_20_000_reasoning_deltas_are_not_joined_one_by_one(served: Served, path: str) -> None:
    """The template leaves them out of the prompt."""
    assert served.ask(path, messages=[USER, THOUGHTS, USER]).status_code == 200
    served.check_alive()


@pytest.mark.parametrize("served", ["scripted"], indirect=True)
@pytest.mark.parametrize(
    "schema",
    [{"anyOf": [{} for _ in range(800)]}, {"type": "string", "pattern": "^((a{1,99}){1,99}){1,99}$"}],
    ids=["800 schemas side by side", "a pattern that multiplies"],
)
@pytest.mark.parametrize("path", ASKED)
def test_large_requests_within_the_limits_are_answered(served: Served, schema: Body, path: str) -> None:
    assert served.ask(path, **formed(path, schema)).status_code == 200
    within = {"type": "object", "properties": {"a": schema}}
    assert served.ask(path, **with_tool(path, within)).status_code == 200
    served.check_alive()


def test_texts_of_megabytes_are_not_embedded(served: Served) -> None:
    model = "minilm" if served.engine == "mlx" else served.model
    response = served.post("/embeddings", {"model": model, "input": "word " * 800_000})
    code = "context_length_exceeded" if served.engine == "mlx" else "model_not_supported"
    assert refused(response, 400)["code"] == code
    served.check_alive()


def raw(served: Served, data: bytes) -> bytes:
    """The server's answer to these bytes, until it closes the connection."""
    url = httpx2.URL(served.base_url)
    with socket.create_connection((url.host, url.port or 0), PATIENCE) as connection:
        connection.sendall(data.replace(b"HOST", f"{url.host}:{url.port}".encode()))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


POST = b"POST /v1%s HTTP/1.1\r\nhost: HOST\r\ncontent-type: application/json\r\nconnection: close\r\n"
HEAD = POST % CHAT.encode()
PACKED, LARGE = ((len(body), body) for body in (gzip.compress(b"{}"), b" " * (9 * 2**20)))
RAW: dict[str, tuple[bytes, bytes]] = {
    "no HTTP": (b"hello\r\n\r\n", b"400"),
    "both lengths": (HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}", b"400"),
    "two lengths": (HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}", b"400"),
    "a head of 100,000 bytes": (b"GET /health HTTP/1.1\r\nhost: HOST\r\nx: %s\r\n\r\n" % (b"a" * 100_000), b"431"),
    "another name": (b"GET /v1/models HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n", b"421"),
    "a whole URL": (b"GET http://HOST/v1/models HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n", b"200"),
    "a compressed body": (HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n%s" % PACKED, b"415"),
    "a body beyond the limit": (HEAD + b"content-length: %d\r\n\r\n%s" % LARGE, b"413"),
}  # fmt: skip


@pytest.mark.parametrize("name", RAW)
def test_no_bytes_stop_it(served: Served, name: str) -> None:
    data, status = RAW[name]
    said = raw(served, data)
    assert said.split(b" ")[1] == status, said[:300]
    if status != b"200":
        assert b'{"error":' in said.replace(b" ", b"").partition(b"\r\n\r\n")[2]
    served.check_alive()


def test_80_stalled_request_bodies_block_no_other_request(served: Served) -> None:
    url = httpx2.URL(served.base_url)
    begun = []
    try:
        for path in (DOORS * 80)[:80]:
            connection = socket.create_connection((url.host, url.port or 0), PATIENCE)
            head = (POST % path.encode()).replace(b"HOST", f"{url.host}:{url.port}".encode())
            connection.sendall(head + b"content-length: 9\r\n\r\n{")
            begun.append(connection)
        served.check_alive()
    finally:
        for connection in begun:
            connection.close()
    served.check_alive()


@pytest.mark.parametrize("served", ["mlx"], indirect=True)
def test_a_hundred_answers_of_one_request_keep_a_chat_waiting_for_its_turn_alone(served: Served) -> None:
    """Four are generated at a time: each free place goes to the chat after the running ones."""
    count = {"role": "user", "content": "Count from 1 to 1000."}
    many = {"model": served.model, "messages": [count], "n": 100, "max_tokens": 16, "stream": True}
    ended = 0
    with (
        ThreadPoolExecutor(1) as beside,
        served.client.stream("POST", "/chat/completions", json=many) as response,
    ):
        events = (json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: {"))
        next(events)
        chat = beside.submit(served.check_alive)
        while not chat.done():
            ended += any(choice["finish_reason"] for choice in next(events)["choices"])
    chat.result()
    assert ended < 50


@pytest.mark.parametrize("path", STREAMS)
def test_a_client_that_disconnects_during_a_stream_stops_no_other(served: Served, path: str) -> None:
    limit = {"max_output_tokens" if path == RESPONSES else "max_tokens": 500}
    body = {**ASKED[path], **limit, "stream": True, "model": served.model}
    for _ in range(8):
        with served.client.stream("POST", path, json=body) as response:
            # Comments come first if it takes long.
            assert next(line for line in response.iter_lines() if line.startswith("data: {"))
    served.check_alive()
