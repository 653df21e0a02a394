"""Clients that send requests in parallel, and when they received each token."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from servers import Served

PATIENCE = 900.0


@dataclass(slots=True)
class Answer:
    """One streamed answer: seconds from the request to each piece of text, and tokens as the server counts them."""

    arrivals: list[float] = field(default_factory=list)
    tokens: int = 0

    @property
    def first(self) -> float:
        return self.arrivals[0]

    @property
    def gaps(self) -> list[float]:
        return [later - earlier for earlier, later in zip(self.arrivals, self.arrivals[1:], strict=False)]


@dataclass(frozen=True, slots=True)
class Seen:
    """The results of all clients together."""

    answers: tuple[Answer, ...]
    seconds: float

    @property
    def rate(self) -> float:
        """Tokens per second."""
        return sum(answer.tokens for answer in self.answers) / self.seconds

    def first(self, quantile: float) -> float:
        """Seconds to the first text."""
        return at(quantile, [answer.first for answer in self.answers])

    def gap(self, quantile: float) -> float:
        """Seconds between two pieces of text."""
        return at(quantile, [gap for answer in self.answers for gap in answer.gaps] or [0.0])


def at(quantile: float, values: Sequence[float]) -> float:
    """The given quantile of the values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]


async def ask(client: httpx2.AsyncClient, served: Served, prompt: str, max_tokens: int) -> Answer:
    """One streamed chat completion."""
    body = {
        "model": served.model,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": max_tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    answer = Answer()
    begun = perf_counter()
    async with client.stream("POST", f"{served.base_url}/chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if not line.startswith("data: {"):
                continue
            chunk = json.loads(line.removeprefix("data: "))
            if any(choice.get("delta", {}).get("content") for choice in chunk["choices"]):
                answer.arrivals.append(perf_counter() - begun)
            if chunk.get("usage"):
                answer.tokens = chunk["usage"]["completion_tokens"]
    return answer


async def at_once(served: Served, prompts: Sequence[str], clients: int, max_tokens: int) -> Seen:
    """`clients` clients that share the prompts, each with one request at a time."""
    left = list(reversed(prompts))
    answers: list[Answer] = []

    async def client_of(client: httpx2.AsyncClient) -> None:
        while left:
            prompt = left.pop()
            try:
                answers.append(await ask(client, served, prompt, max_tokens))
            except httpx2.ReadError:
                # Python's http.server queues five connections; further ones may be reset and are retried.
                left.append(prompt)

    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        begun = perf_counter()
        await asyncio.gather(*(client_of(client) for _ in range(clients)))
        return Seen(tuple(answers), perf_counter() - begun)
