"""Work for large requests, beside the event loop: on one thread, one after the other.

One thread and not several, as only one runs Python at a time: the more there are, the longer the loop waits for its
turn among them. Small requests are worked on where they are, as another thread costs more than they do.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

LARGE: Final = 64 * 2**10
"""Bytes of a body from which on a thread works on it: 300,000 token ids take 0.1 s, in which streams are to go on."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


def thread() -> ThreadPoolExecutor:
    """What `beside` expects as `app.state.beside`; its thread starts with the first large request."""
    return ThreadPoolExecutor(1, "gonogo-requests")


async def beside(
    request: Request, work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
) -> Result:
    """What `work` gives or raises, on the thread where the body of the request is large.

    `request.state.body_bytes` says how many bytes it has.
    """
    if request.state.body_bytes <= LARGE:
        return work(*args, **kwargs)
    context = copy_context()
    return await asyncio.get_running_loop().run_in_executor(
        request.app.state.beside, lambda: context.run(work, *args, **kwargs)
    )
