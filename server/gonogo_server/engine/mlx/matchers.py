"""Grammar matchers of answers, compiled once per model, concurrently and within a time limit.

Schemas were already compiled in a separate process (`gonogo_server.compilation`), with bytes as the vocabulary. The
vocabulary of the model needs another compilation: a request waits for it no longer than for the first one, and other
requests do not wait.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from llguidance import LLMatcher

    from gonogo_server.engine.mlx.text import Text

KEPT: Final = 16
"""Grammars that are kept for each model, the latest used last."""
SECONDS: Final = 5.0
"""What a compilation may take, unless told otherwise."""


class Matchers:
    """What follows grammars, for one engine; a thread compiles, and may continue after the request has left."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._kept: WeakKeyDictionary[Text, OrderedDict[str, Future[LLMatcher]]] = WeakKeyDictionary()

    async def at_beginning(self, text: Text, grammar: str) -> LLMatcher:
        """What follows the grammar, from its beginning, with the vocabulary of `text`.

        Raises `BadRequest` if it cannot be followed, or takes too long.
        """
        kept = self._kept.setdefault(text, OrderedDict())
        if grammar not in kept:
            kept[grammar] = _compiled(text, grammar)
            while len(kept) > KEPT:
                kept.popitem(last=False)
        kept.move_to_end(grammar)
        try:
            async with asyncio.timeout(self._seconds):
                made = await asyncio.wrap_future(kept[grammar])
        except TimeoutError:
            raise BadRequest(
                f"Compiling the schemas of this request to a grammar takes more than {self._seconds:g} seconds with the"
                " vocabulary of this model: make them smaller.",
                code="invalid_json_schema",
            ) from None
        return made.deep_copy()


def _compiled(text: Text, grammar: str) -> Future[LLMatcher]:
    """What a separate thread compiles; the library lets others run meanwhile."""
    done: Future[LLMatcher] = Future()
    done.set_running_or_notify_cancel()  # who leaves does not cancel it for those who ask for the same

    def compile_it() -> None:
        try:
            done.set_result(text.matcher(grammar))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            done.set_exception(error)

    threading.Thread(target=compile_it, name="gonogo-grammar", daemon=True).start()
    return done
