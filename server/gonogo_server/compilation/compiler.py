"""Compiles schemas in a separate process under a time limit, and caches the result.

The grammar library is outside software that recurses on clients' input. A schema that crashes it or keeps it busy
affects only that process, and the request gets a 400. One schema is compiled at a time; requests without schemas never
wait for it.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gonogo_wire import ResponseFormatJsonSchema

from gonogo_server.compilation import trials
from gonogo_server.compilation.worker import Worker, WorkerEnded
from gonogo_server.errors import BadRequest
from gonogo_server.schemas.limits import size
from gonogo_server.schemas.structured import structure
from gonogo_server.tools.offer import offer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gonogo_wire import CreateChatCompletionRequest

    from gonogo_server.schemas.limits import SchemaLimits
    from gonogo_server.schemas.structured import Structure
    from gonogo_server.tools.offer import Offer

Result = TypeVar("Result")

KEPT: Final = 64
"""Cached results; the least recently used is dropped first."""
COMPILED: Final = frozenset({"response_format", "tools", "tool_choice", "parallel_tool_calls"})


@dataclass(frozen=True, slots=True)
class Brought:
    """The part of a request that contains schemas."""

    raw: str
    """A request with only that part, as JSON."""
    param: str | None
    """The `param` of an error that concerns all schemas together, ..."""
    code: str
    """... and its code."""


class Compiler:
    """Compiles the schemas of requests; every method except `brought` must be called on one event loop."""

    def __init__(self, limits: SchemaLimits, worker: Worker | None = None) -> None:
        self._limits = limits
        self._worker = worker or Worker(trials.ready)
        self._kept: OrderedDict[bytes, asyncio.Task[Any]] = OrderedDict()
        self._turn = asyncio.Lock()
        self.trials = 0
        """How many times something was compiled, not taken from the cache."""

    def brought(self, body: CreateChatCompletionRequest) -> Brought | None:
        """What is to be compiled; None for a request without schemas. May be called on any thread.

        Raises `BadRequest`, with `param`, if the schemas together are too large.
        """
        schemas = list(_schemas(body))
        if not schemas:
            return None
        self._check_size(schemas)
        fields = body.model_dump(include=set(COMPILED), by_alias=True, exclude_unset=True)
        raw = json.dumps({"model": body.model, "messages": [{"role": "user", "content": ""}], **fields})
        return Brought(raw, *_whose(schemas))

    async def forms(
        self, body: CreateChatCompletionRequest, brought: Brought | None
    ) -> tuple[Structure | None, Offer | None]:
        """The response format and the tools of a request; `brought` is the result for its `body`.

        Raises `BadRequest`, with `param`, for schemas that are too large, that no answer can match, or that crash the
        grammar library.
        """
        if brought is None:
            return structure(body.response_format, self._limits), offer(body, self._limits)
        return await self._known(brought, trials.forms, brought.raw, self._limits)

    async def fits(self, lark: str, brought: Brought) -> None:
        """Raise `BadRequest` if the grammar of an answer, in Lark, is too large."""
        await self._known(brought, trials.fits, lark)

    def _check_size(self, schemas: list[tuple[str, str, dict[str, Any]]]) -> None:
        total = 0
        for param, code, schema in schemas:
            total += size(schema)
            if total > self._limits.total_bytes:
                raise BadRequest(
                    f"The schemas of this request have {total} bytes up to this one, but the limit is "
                    f"{self._limits.total_bytes}: send less.",
                    param=param,
                    code=code,
                )

    async def _known(self, brought: Brought, work: Callable[..., Result], *given: Any) -> Result:  # noqa: ANN401 - the work's own
        key = sha256(f"{work.__name__} {given[0]}".encode()).digest()
        if key not in self._kept:
            self._kept[key] = asyncio.create_task(self._try(brought, work, *given))
            self._kept[key].add_done_callback(lambda task: self._forget(key, task))
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        # Other requests may wait for this task when this client disconnects.
        return await asyncio.shield(self._kept[key])

    def _forget(self, key: bytes, task: asyncio.Task[Any]) -> None:
        """Drop the result, unless it depends only on the schema."""
        if task.cancelled() or not isinstance(task.exception(), (BadRequest, type(None))):
            self._kept.pop(key, None)

    async def _try(self, brought: Brought, work: Callable[..., Result], *given: Any) -> Result:  # noqa: ANN401 - the work's own
        # At most one thread waits for the worker, because requests without schemas need the others.
        async with self._turn:
            self.trials += 1
            try:
                return await asyncio.to_thread(self._worker.call, self._limits.seconds, work, *given)
            except TimeoutError:
                why = f"takes more than {self._limits.seconds:g} seconds"
            except WorkerEnded:
                why = "is beyond the limits of this server"
        raise BadRequest(
            f"Compiling the schemas of this request to a grammar {why}: make them smaller.",
            param=brought.param,
            code=brought.code,
        )


def _schemas(body: CreateChatCompletionRequest) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each schema of a request, with the `param` and `code` of its errors."""
    match body.response_format:
        case ResponseFormatJsonSchema(json_schema=wanted):
            schema = wanted.schema_ if isinstance(wanted.schema_, dict) else {}
            yield "response_format.json_schema.schema", "invalid_json_schema", schema
    for index, tool in enumerate(body.tools if isinstance(body.tools, list) else []):
        schema = tool.function.parameters if isinstance(tool.function.parameters, dict) else {}
        yield f"tools[{index}].function.parameters", "invalid_function_parameters", schema


def _whose(schemas: list[tuple[str, str, dict[str, Any]]]) -> tuple[str | None, str]:
    """The `param` and `code` of errors that concern all schemas together."""
    if len(schemas) == 1:
        return schemas[0][:2]
    return (
        "tools" if any(param.startswith("tools") for param, _, _ in schemas) else None
    ), "invalid_json_schema"
