"""Runs the suite as an upstream: listens, waits for the gateway, and records its requests."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING
from uuid import uuid4

from gonogo.addresses import shown
from gonogo.errors import TargetError, UsageError
from gonogo.faults.proxy import listening
from gonogo.stimuli import bodies, plays
from gonogo.stimuli.played import is_played, key_of_sight
from gonogo.stimuli.stimulus import Endpoint, Subject
from gonogo.upstream.seen import Seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from gonogo.collect.roles import Recorder, Sink
    from gonogo.exchange import Exchange, Request
    from gonogo.verdict import Because

PAUSE = 0.5
"""Seconds between two attempts to reach the upstream through the gateway."""
PATIENCE = 10.0
"""Seconds to wait until the upstream's request has ended, after the gateway has answered."""


@dataclass(frozen=True, slots=True)
class Behind:
    """How to run behind a gateway: the address to listen on, and the seconds to wait for the gateway's first request.

    `on_listening` is called with the base URL, without the path of a provider.
    """

    host: str = "127.0.0.1"
    port: int = 0
    wait: float = 120.0
    on_listening: Callable[[str], None] = lambda _: None


@dataclass
class Standing:
    """The upstream while it listens at `url`; `ended` is set after each answer."""

    url: str
    seen: Seen
    ended: asyncio.Event

    async def reached(
        self, recorder: Recorder, base_url: str, model: str | None, wait: float
    ) -> tuple[str, str | None]:
        """The models that the gateway routes to the first provider, and to the second if there is one.

        Without `model`, it is the model in the gateway's list with the upstream's model name. Raises TargetError if the
        gateway does not reach the upstream.
        """
        greeting = f"gonogo greeting {uuid4().hex}"
        end = asyncio.get_running_loop().time() + wait
        while True:
            listed = await _listed(recorder)
            first = model or _called(listed, plays.MODEL) or plays.MODEL
            chat = await recorder.record(_chat(first, greeting), id="g0", stimulus="greeting: upstream")
            if any(greeting in text for text in self.seen.greeted):
                return first, _called(listed, plays.SECOND_MODEL)
            if asyncio.get_running_loop().time() + PAUSE >= end:
                raise TargetError(_unreached(self.url, base_url, first, chat, wait))
            await asyncio.sleep(PAUSE)

    def watching(self, recorder: Recorder) -> Recorder:
        """The recorder, which after each play waits until the upstream has finished it."""
        return _Watching(recorder, self.seen, self.ended)

    def sink(self, sink: Sink, ids: Iterator[str]) -> Sink:
        """The sink, which also receives the upstream's exchanges of each play."""
        return _WithSights(sink, self.seen, ids)


@asynccontextmanager
async def standing(how: Behind, secrets: tuple[str, ...]) -> AsyncIterator[Standing]:
    """Listen. `secrets` are the keys of the client. Raises UsageError if the address is not available."""
    seen, ended = Seen(secrets), asyncio.Event()

    def end(exchange: Exchange, left: float | None) -> None:
        seen.end(exchange, left)
        ended.set()

    async def answer(request: Request) -> Exchange:
        made = seen.answer(request)
        if made.status is None:
            await asyncio.sleep(made.seconds)
        return made

    try:
        server = listening(answer, host=how.host, port=how.port, on_end=end)
        url = await server.__aenter__()
    except (OSError, OverflowError) as error:
        why = (
            os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error).rstrip(".")
        )
        raise UsageError(
            f"The upstream cannot listen on {how.host} port {how.port}: {why}. Choose another port "
            "with --upstream-port."
        ) from error
    try:
        how.on_listening(url)
        yield Standing(url, seen, ended)
    finally:
        await server.__aexit__(None, None, None)


@dataclass
class _Watching:
    recorder: Recorder
    seen: Seen
    ended: asyncio.Event

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - its name
        exchange = await self.recorder.record(request, id=id, stimulus=stimulus)
        if is_played(stimulus):
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    while not self.seen.settled(request):
                        self.ended.clear()
                        await self.ended.wait()
        return exchange


@dataclass
class _WithSights:
    to: Sink
    seen: Seen
    ids: Iterator[str]

    def exchange(self, exchange: Exchange) -> None:
        self.to.exchange(exchange)
        if is_played(exchange.stimulus):
            for number, sight in zip(count(1), self.seen.of(exchange.request), strict=False):
                key = key_of_sight(number, exchange.stimulus)
                self.to.exchange(replace(sight, id=next(self.ids), stimulus=key))

    def unsent(self, key: str, because: Because) -> None:
        self.to.unsent(key, because)


async def _listed(recorder: Recorder) -> list[str]:
    request = bodies.list_models().build(Subject(""), {})
    listing = (await recorder.record(request, id="g0", stimulus="greeting: models")).json
    entries = listing.get("data") if isinstance(listing, dict) else None
    return [
        str(entry.get("id"))
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    ]


def _called(listed: list[str], name: str) -> str | None:
    """The model of this name, possibly with a prefix of the gateway."""
    return next((model for model in listed if model == name or model.endswith(f"/{name}")), None)


def _chat(model: str, greeting: str) -> Request:
    messages = [{"role": "user", "content": greeting}]
    return bodies.post(Endpoint.CHAT, {"messages": messages, "max_tokens": 1}).build(Subject(model), {})


def _unreached(url: str, base_url: str, model: str, chat: Exchange, wait: float) -> str:
    if chat.failure is not None:
        last = chat.failure.message
    else:
        last = f"{chat.status}: {chat.body[:200].decode('utf-8', 'replace')}"
    return (
        f"{shown(base_url)} sent no request to {url}/v1 within {wait:g} s (its last answer for the model {model} was "
        f"{last}); point a provider of the gateway to this URL, or give its model with --model."
    )
