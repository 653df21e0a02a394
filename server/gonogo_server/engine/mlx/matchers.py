"""Grammar matchers of answers, compiled once per model, concurrently and within a time limit.

A separate process (`gonogo_server.compilation`) has already compiled the schemas, with bytes as the vocabulary. The
vocabulary of the model needs a second compilation. It has the same time limit as the first one, and does not delay
other requests.
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
"""Number of recently used grammars that are kept for each model."""
SECONDS: Final = 5.0
"""Default time limit of a compilation."""


class Matchers:
    """The compiled grammars of one engine. Compilation runs on a thread, and may outlive its request."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._kept: WeakKeyDictionary[Text, OrderedDict[str, Future[LLMatcher]]] = WeakKeyDictionary()

    async def at_beginning(self, text: Text, grammar: str) -> LLMatcher:
        """A new matcher of the grammar, at its start, with the vocabulary of `text`.

        Raises `BadRequest` if the grammar is invalid, or its compilation takes too long.
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
    """Compile the grammar on a separate thread; llguidance releases the GIL meanwhile."""
    done: Future[LLMatcher] = Future()
    # A running future cannot be cancelled, so that a request that is cancelled does not fail others with this grammar.
    done.set_running_or_notify_cancel()

    def compile_it() -> None:
        try:
            done.set_result(text.matcher(grammar))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            done.set_exception(error)

    threading.Thread(target=compile_it, name="gonogo-grammar", daemon=True).start()
    return done
