"""What clients make of the recorded answers; the clients themselves are in `gonogo.clients`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.clients import httpx_sse, openai_python
from gonogo.clients.breakage import NotInstalled
from gonogo.judge import reading
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.clients.breakage import Breakage
    from gonogo.exchange import Exchange

    Reader = Callable[[Exchange], Breakage | None]

WHOLE: dict[str, Reader] = {
    "openai-python reads the models": openai_python.models,
    "openai-python reads the chat completion": openai_python.chat,
    "openai-python reads the completion": openai_python.completions,
    "openai-python reads the embeddings": openai_python.embeddings,
}
STREAMS: dict[str, Reader] = {
    "openai-python reads the chat completion's stream": openai_python.chat_stream,
    "openai-python reads the completion's stream": openai_python.completions_stream,
    "httpx-sse reads the stream": httpx_sse.stream,
}
REFUSALS: dict[str, Reader] = {"openai-python reads the error": openai_python.errors}


def _register() -> None:
    for pattern, read in WHOLE.items():
        check(pattern)(_asking(read))
    for pattern, read in STREAMS.items():
        check(pattern)(_asking(read, streamed=True))
    for pattern, read in REFUSALS.items():
        check(pattern, Of.REFUSED)(_asking(read))


def _asking(read: Reader, *, streamed: bool = False) -> Callable[[Exchange], Deviation | None]:
    def run(exchange: Exchange) -> Deviation | None:
        if streamed:
            reading.ended(exchange)  # an error frame is to raise: the client does what it should
        try:
            breakage = read(exchange)
        except NotInstalled as absence:
            raise Undecided(str(absence)) from None
        if breakage is None:
            return None
        return Deviation(f"an answer that {breakage.client} {breakage.version} reads", str(breakage))

    return run


_register()
