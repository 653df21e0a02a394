"""The work of the schema process, on a smaller stack than any thread of the server has. No I/O.

What passes here is safe in the server, which compiles it again: its threads have `SERVER_STACK`, whatever the system's
default, and compilation takes no longer there than here.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, TypeVar

from gonogo_wire import CreateChatCompletionRequest

from gonogo_server.schemas.structured import grammar, structure
from gonogo_server.tools.offer import offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.schemas.limits import SchemaLimits
    from gonogo_server.schemas.structured import Structure
    from gonogo_server.tools.offer import Offer

Result = TypeVar("Result")

STACK: Final = 1024**2
SERVER_STACK: Final = 8 * STACK
"""Bytes of stack of the threads of the server (see `gonogo_server.serve`)."""
MEMORY: Final = 2 * 1024**3
"""Bytes of memory that the worker may use, including its libraries, on systems that enforce it."""


def ready() -> None:
    """Load the imports, which take longer than any schema, and limit memory to `MEMORY` from here on."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def forms(raw: str, limits: SchemaLimits) -> tuple[Structure | None, Offer | None]:
    """The response format and the tools of a request. Raises `BadRequest` if they cannot be served."""

    def read() -> tuple[Structure | None, Offer | None]:
        body = CreateChatCompletionRequest.model_validate(json.loads(raw))
        return structure(body.response_format, limits), offer(body, limits)

    return _bounded(read)


def fits(lark: str) -> None:
    """Raise `BadRequest` if a grammar in Lark is too large."""
    _bounded(lambda: grammar(lark))


def _bounded(work: Callable[[], Result]) -> Result:
    """The result or exception of `work`, run on a separate thread with a small stack."""
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            done.set_exception(error)

    threading.stack_size(STACK)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return done.result()
