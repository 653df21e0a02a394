"""The server on a real model: SmolLM2 on MLX, a few tokens at a time."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from gonogo_server import serve
from gonogo_server.engine.mlx.engine import MlxEngine, open_engine
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Body = dict[str, Any]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

PATIENCE = 60.0
"""Seconds after which a hanging process is killed; no test waits for this limit."""

FRANCE = {"role": "user", "content": "What is the capital of France?"}
CHAT = {"model": "smollm2", "messages": [FRANCE], "temperature": 0, "max_tokens": 12}
TEXT = {"model": "smollm2", "prompt": "The capital of France is", "temperature": 0, "max_tokens": 3}


@pytest.fixture(scope="module")
def smollm2() -> Iterator[MlxEngine]:
    engine = open_engine(["smollm2"])
    yield engine
    asyncio.run(engine.close())


@pytest.fixture
def engine(smollm2: MlxEngine) -> MlxEngine:
    return smollm2


async def streamed(client: httpx2.AsyncClient, path: str, body: Body) -> list[Any]:
    response = await client.post(path, json={**body, "stream": True})
    assert response.status_code == 200, response.text
    *chunks, done = response.text.removesuffix("\n\n").split("\n\n")
    assert done == "data: [DONE]"
    return [json.loads(chunk.removeprefix("data: ")) for chunk in chunks]


async def test_it_answers_and_says_why_it_ended(live: httpx2.AsyncClient, keeps_contract: Check) -> None:
    answer = (await live.post("/chat/completions", json=CHAT)).json()
    keeps_contract("ChatCompletion", answer)
    assert "Paris" in answer["choices"][0]["message"]["content"]
    usage = answer["usage"]
    ended_early = usage["completion_tokens"] < CHAT["max_tokens"]
    assert answer["choices"][0]["finish_reason"] == ("stop" if ended_early else "length")
    assert "<|im_end|>" not in answer["choices"][0]["message"]["content"]


async def test_it_streams_the_same_answer(live: httpx2.AsyncClient, keeps_contract: Check) -> None:
    chunks = await streamed(live, "/chat/completions", {**CHAT, "stream_options": {"include_usage": True}})
    for chunk in chunks:
        keeps_contract("ChatCompletionChunk", chunk)
    whole = (await live.post("/chat/completions", json=CHAT)).json()
    said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1])
    assert said == whole["choices"][0]["message"]["content"]
    assert chunks[-1]["usage"] == whole["usage"]


async def test_it_continues_a_text(live: httpx2.AsyncClient, keeps_contract: Check) -> None:
    answer = (await live.post("/completions", json=TEXT)).json()
    keeps_contract("Completion", answer)
    assert answer["choices"][0]["text"].startswith(" Paris")
    assert answer["choices"][0]["finish_reason"] == "length"
    said = "".join(chunk["choices"][0]["text"] for chunk in await streamed(live, "/completions", TEXT))
    assert said == answer["choices"][0]["text"]


async def test_it_ends_before_a_stop_string(live: httpx2.AsyncClient) -> None:
    answer = (await live.post("/completions", json={**TEXT, "stop": "aris"})).json()
    assert answer["choices"][0]["text"] == " P"
    assert answer["choices"][0]["finish_reason"] == "stop"


async def test_a_seed_repeats_a_drawn_answer(live: httpx2.AsyncClient) -> None:
    body = {**TEXT, "temperature": 1.5, "seed": 7, "max_tokens": 8}
    first, second = [(await live.post("/completions", json=body)).json() for _ in range(2)]
    assert first["choices"] == second["choices"]


async def test_a_question_that_is_asked_again_is_read_from_the_cache(live: httpx2.AsyncClient) -> None:
    body = {**CHAT, "messages": [{"role": "user", "content": "What is the capital of Peru?"}]}
    first, again = [(await live.post("/chat/completions", json=body)).json() for _ in range(2)]
    assert again["choices"] == first["choices"]
    cached = [one["usage"]["prompt_tokens_details"]["cached_tokens"] for one in (first, again)]
    # Another test may have read the template's system prompt.
    assert cached[0] < cached[1] == again["usage"]["prompt_tokens"] - 1


async def test_questions_that_are_asked_at_once_are_each_answered_in_their_own_words(
    live: httpx2.AsyncClient,
) -> None:
    capitals = {"France": "Paris", "England": "London", "Japan": "Tokyo", "Germany": "Berlin"}
    answers = await asyncio.gather(
        *(
            live.post(
                "/chat/completions",
                json={
                    **CHAT,
                    "messages": [{"role": "user", "content": f"What is the capital of {land}?"}],
                    "max_tokens": 16,
                },
            )
            for land in capitals
        )
    )
    said = [answer.json()["choices"][0]["message"]["content"] for answer in answers]
    for capital, text in zip(capitals.values(), said, strict=True):
        assert capital in text


async def test_choices_of_one_request_share_its_prompt_and_differ(
    live: httpx2.AsyncClient, engine: MlxEngine
) -> None:
    body = {**CHAT, "n": 3, "temperature": 1.5, "seed": 3, "max_tokens": 8}
    first, again = [(await live.post("/chat/completions", json=body)).json() for _ in range(2)]
    said = [choice["message"]["content"] for choice in first["choices"]]
    assert len(set(said)) > 1
    assert said == [choice["message"]["content"] for choice in again["choices"]]
    assert engine.unfinished == 0


async def test_a_client_that_leaves_stops_the_model(live: httpx2.AsyncClient, engine: MlxEngine) -> None:
    endless = {**CHAT, "max_tokens": 4000, "messages": [{"role": "user", "content": "Count to 1000."}]}
    async with live.stream("POST", "/chat/completions", json={**endless, "stream": True}) as response:
        await anext(response.aiter_bytes())
        assert engine.unfinished == 1
    while engine.unfinished:  # noqa: ASYNC110 - the condition has no event
        await asyncio.sleep(0)
    assert (await live.post("/completions", json=TEXT)).status_code == 200


def test_a_model_that_is_not_here_is_one_sentence_and_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve.main(["--model", "nowhere", "--port", "0"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("gonogo serve: There is no model 'nowhere': give a folder")
    assert told.err.count("\n") == 1


def test_a_signal_ends_an_open_stream_with_an_error_and_the_process_with_0() -> None:
    command = [sys.executable, "-m", "gonogo_server", "--model", "smollm2", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            base_url = next(line.split()[-1] for line in process.stdout if "listening on" in line)
            endless = {"model": "smollm2", "messages": [{"role": "user", "content": "Count to 1000."}]}
            with httpx2.stream(
                "POST", f"{base_url}/chat/completions", json={**endless, "stream": True}, timeout=PATIENCE
            ) as response:
                lines = response.iter_lines()
                next(lines)
                process.send_signal(signal.SIGINT)  # SIGTERM would let it finish
                events = [line.removeprefix("data: ") for line in lines if line]
            assert json.loads(events[-1])["error"]["type"] == "service_unavailable_error"
            _, errors = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0
            assert "Traceback" not in errors
        finally:
            process.kill()


async def test_a_conversation_comes_back_as_clients_write_it_out(live: httpx2.AsyncClient) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    nulls = dict.fromkeys(
        ("tool_calls", "function_call", "refusal", "audio", "annotations", "reasoning_content")
    )
    history: Body = {
        "messages": [
            FRANCE,
            {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None},
            {"role": "tool", "tool_call_id": "c1", "name": "look", "content": "Paris"},
            {"role": "assistant", "content": "Paris.", **nulls},
            {**FRANCE, "cache_control": {"type": "ephemeral"}},
        ],
        "tools": None,
        "modalities": ["text"],
        "prediction": {"type": "content", "content": "Paris."},
        "chat_template_kwargs": {"enable_thinking": False},
        "max_tokens": 2,
    }
    response = await live.post("/chat/completions", json=CHAT | history)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("settings", [Settings(max_tokens_default=2)], ids=["two"])
async def test_a_default_bounds_what_sets_no_limit(live: httpx2.AsyncClient) -> None:
    for path, body in (("/chat/completions", CHAT), ("/completions", TEXT)):
        response = await live.post(path, json=body | {"max_tokens": None})
        assert response.json()["usage"]["completion_tokens"] <= 2, path


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_schema_that_no_answer_can_keep_is_refused_and_the_next_is_kept(
    live: httpx2.AsyncClient, *, stream: bool
) -> None:
    link = {"$ref": "#/$defs/link"}
    loop = {"type": "object", "properties": {"next": link}, "required": ["next"], "$defs": {}}
    schema = {**link, "$defs": {"link": loop}}
    tool = {"type": "function", "function": {"name": "f", "parameters": {**loop, "$defs": {"link": loop}}}}
    for asked, param in (
        ({"response_format": json_schema(schema)}, "response_format.json_schema.schema"),
        ({"tools": [tool]}, "tools[0].function.parameters"),
    ):
        response = await live.post("/chat/completions", json={**CHAT, **asked, "stream": stream})
        assert response.status_code == 400, response.text
        assert response.json()["error"]["param"] == param
    defined = {"$ref": "#/$defs/city", "$defs": {"city": {"enum": ["Paris", "Bern"]}}}
    response = await live.post("/chat/completions", json={**CHAT, "response_format": json_schema(defined)})
    assert json.loads(response.json()["choices"][0]["message"]["content"]) in ("Paris", "Bern")


def json_schema(schema: Body) -> Body:
    return {"type": "json_schema", "json_schema": {"name": "gauge", "schema": schema}}
