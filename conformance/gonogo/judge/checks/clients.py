"""Whether clients read the recorded answers; the clients themselves are in `gonogo.clients`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.clients import httpx_sse, openai_python
from gonogo.clients.breakage import NotInstalled
from gonogo.judge import kinds, reading
from gonogo.judge.checks.acceptance import accepted
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from gonogo.clients.breakage import Breakage
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

# What each phrase replays: the module of the client, and the function in it.
Reader = tuple[str, str]
WHOLE: Mapping[str, Reader] = {
    "openai-python reads the models": ("openai_python", "models"),
    "openai-python reads the chat completion": ("openai_python", "chat"),
    "openai-python reads the completion": ("openai_python", "completions"),
    "openai-python reads the embeddings": ("openai_python", "embeddings"),
}
STREAMS: Mapping[str, Reader] = {
    "openai-python reads the chat completion's stream": ("openai_python", "chat_stream"),
    "openai-python reads the completion's stream": ("openai_python", "completions_stream"),
    "httpx-sse reads the stream": ("httpx_sse", "stream"),
}
REFUSALS: Mapping[str, Reader] = {"openai-python reads the error": ("openai_python", "errors")}


def _replay(reader: Reader, exchange: Exchange) -> Breakage | None:
    """What the client breaks on, if anything; the only place that runs one. Raises NotInstalled."""
    client, function = reader
    modules: dict[str, ModuleType] = {"httpx_sse": httpx_sse, "openai_python": openai_python}
    found: Breakage | None = getattr(modules[client], function)(exchange)
    return found


def _reads(reader: Reader, *, streamed: bool = False) -> Callable[[Exchange], Outcome]:
    def run(exchange: Exchange) -> Outcome:
        if streamed:
            reading.ended(exchange)  # an error frame is to raise: the client does what it should
        try:
            breakage = _replay(reader, exchange)
        except NotInstalled as absence:
            raise undecided(Reason.NOT_INSTALLED, told=str(absence)) from None
        if breakage is not None:
            return Deviation(f"an answer that {breakage.client} {breakage.version} reads", str(breakage))
        if accepted(exchange) and not kinds.of_its_kind(exchange):
            raise undecided(Reason.WRONG_KIND, exchange, kind=kinds.name(exchange))
        return saw("answer read without an exception", exchange)

    return run


def _register() -> None:
    for pattern, reader in WHOLE.items():
        check(pattern)(_reads(reader))
    for pattern, reader in STREAMS.items():
        check(pattern)(_reads(reader, streamed=True))
    for pattern, reader in REFUSALS.items():
        check(pattern, Of.REFUSED)(_reads(reader))


_register()
