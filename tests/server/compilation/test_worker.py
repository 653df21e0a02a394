"""The process that compiles schemas: it may hang or crash, and the next task is done anyway."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import replace
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.compilation import trials
from gonogo_server.compilation.compiler import KEPT, Compiler
from gonogo_server.compilation.worker import Worker, WorkerEnded, WorkFailed
from gonogo_server.errors import BadRequest, ServerError
from gonogo_server.schemas.limits import USUAL
from gonogo_wire import CreateChatCompletionRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    Schema = dict[str, Any]

PATIENCE = 60.0
"""Seconds after which a hanging test is stopped; no test waits for this limit."""


@pytest.fixture(scope="module")
def plain() -> Iterator[Worker]:
    worker = Worker(print)
    yield worker
    worker.close()


def body(schema: Schema, *tools: Schema) -> CreateChatCompletionRequest:
    asked: Schema = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    if tools:
        asked["tools"] = [
            {"type": "function", "function": {"name": f"f{number}", "parameters": tool}}
            for number, tool in enumerate(tools)
        ]
    asked["response_format"] = {"type": "json_schema", "json_schema": {"name": "any", "schema": schema}}
    return CreateChatCompletionRequest.model_validate(asked)


def test_work_is_done_in_another_process(plain: Worker) -> None:
    assert plain.call(PATIENCE, os.getpid) not in (os.getpid(), None)
    assert plain.call(PATIENCE, os.getpid) == plain.call(PATIENCE, os.getpid)


def test_after_work_that_ends_the_process_another_does_the_next(plain: Worker) -> None:
    with pytest.raises(WorkerEnded):
        plain.call(PATIENCE, os._exit, 3)
    assert plain.call(PATIENCE, len, "abc") == 3


def test_work_that_hangs_is_ended(plain: Worker) -> None:
    before = plain.call(PATIENCE, os.getpid)
    with pytest.raises(TimeoutError):
        plain.call(0.1, signal.pause)
    assert plain.call(PATIENCE, os.getpid) != before


def test_an_exception_in_a_job_is_raised_and_the_process_survives(plain: Worker) -> None:
    before = plain.call(PATIENCE, os.getpid)
    with pytest.raises(WorkFailed, match="ValueError"):
        plain.call(PATIENCE, int, "one")
    assert plain.call(PATIENCE, os.getpid) == before


def test_work_that_finds_no_stack_is_more_than_the_process_can_do(plain: Worker) -> None:
    with pytest.raises(WorkerEnded):
        plain.call(PATIENCE, json.loads, "[" * 100_000)


def test_a_process_that_cannot_start_is_reported() -> None:
    worker = Worker(os.abort)
    with pytest.raises(ServerError, match="cannot be started"):
        worker.call(PATIENCE, len, "abc")


def test_a_process_that_the_system_cannot_start_is_reported_and_retried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(_: SpawnProcess) -> None:
        raise BlockingIOError("Resource temporarily unavailable")

    worker = Worker(print)
    with monkeypatch.context() as full:
        full.setattr(SpawnProcess, "start", refused)
        with pytest.raises(ServerError, match="cannot be started"):
            worker.call(PATIENCE, len, "abc")
    assert worker.call(PATIENCE, len, "abc") == 3
    worker.close()


def test_a_refusal_comes_out_of_the_process_as_it_is(worker: Worker) -> None:
    asked = '{"model": "m", "messages": [{"role": "user", "content": ""}], "tool_choice": "required"}'
    with pytest.raises(BadRequest, match="there is no tool") as refused:
        worker.call(PATIENCE, trials.forms, asked, USUAL)
    assert (refused.value.param, refused.value.code) == ("tool_choice", "invalid_value")


def test_as_deep_as_schemas_may_be_they_are_tried_on_the_small_stack(worker: Worker) -> None:
    schema: Schema = {"type": "string"}
    definitions: Schema = {"d0": schema}
    for number in range(1, USUAL.depth // 2):
        definitions[f"d{number}"] = {
            "type": "object",
            "properties": {"a": {"$ref": f"#/$defs/d{number - 1}"}},
            "required": ["a"],
        }
    root = {"$ref": f"#/$defs/d{USUAL.depth // 2 - 1}", "$defs": definitions}
    structure, _ = worker.call(PATIENCE, trials.forms, body(root).model_dump_json(by_alias=True), USUAL)
    assert structure is not None


async def forms(compiler: Compiler, asked: CreateChatCompletionRequest) -> Any:  # noqa: ANN401 - its own
    return await compiler.forms(asked, compiler.brought(asked))


# ---- the cache -----------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_the_result_of_a_compilation_is_cached(worker: Worker) -> None:
    compiler = Compiler(USUAL, worker)
    asked = body({"type": "integer"})
    one, other = await asyncio.gather(forms(compiler, asked), forms(compiler, asked))
    assert one == other == await forms(compiler, asked)
    assert compiler.trials == 1
    for _ in range(2):
        with pytest.raises(BadRequest, match="is not supported"):
            await forms(compiler, body({"not": {}}))
    assert compiler.trials == 2


@pytest.mark.anyio
async def test_no_more_than_the_latest_are_kept(worker: Worker) -> None:
    compiler = Compiler(USUAL, worker)
    for number in (*range(KEPT + 1), 0):
        await forms(compiler, body({"const": number}))
    assert compiler.trials == KEPT + 2


@pytest.mark.anyio
async def test_without_schemas_nothing_is_tried() -> None:
    compiler = Compiler(USUAL)
    asked = {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "response_format": {"type": "json_object"},
    }
    structure, offer = await forms(compiler, CreateChatCompletionRequest.model_validate(asked))
    assert structure is not None
    assert (offer, compiler.trials) == (None, 0)


class Failing(Worker):
    """A worker that fails all work in one way."""

    def __init__(self, failure: Exception) -> None:
        super().__init__(trials.ready)
        self._failure = failure

    def call(self, *_given: object) -> Any:  # noqa: ANN401 - it never returns
        raise self._failure


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (TimeoutError(), "takes more than 5 seconds: make them smaller"),
        (WorkerEnded(), "is beyond the limits of this server: make them smaller"),
    ],
    ids=["too slow", "too much"],
)
async def test_a_failure_of_the_library_is_an_error_of_the_schema(failure: Exception, said: str) -> None:
    compiler = Compiler(USUAL, Failing(failure))
    with pytest.raises(BadRequest, match=said) as refused:
        await forms(compiler, body({"type": "integer"}))
    assert refused.value.param == "response_format.json_schema.schema"
    with pytest.raises(BadRequest, match=said) as refused:
        await forms(compiler, body({"type": "integer"}, {"type": "object"}, {"type": "object"}))
    assert refused.value.param == "tools"


@pytest.mark.anyio
async def test_all_schemas_of_a_request_count_together(worker: Worker) -> None:
    compiler = Compiler(replace(USUAL, total_bytes=40), worker)
    await forms(compiler, body({"type": "integer"}))
    with pytest.raises(BadRequest, match="the limit is 40") as refused:
        await forms(compiler, body({"type": "integer"}, {"type": "object"}, {"type": "object"}))
    assert refused.value.param == "tools[1].function.parameters"
    assert refused.value.code == "invalid_function_parameters"
