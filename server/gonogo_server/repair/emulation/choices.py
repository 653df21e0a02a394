"""Splits a request into one for each choice, prompt or input, and joins their answers into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonogo_server.repair.base import Document, Noted

GREATEST_SEED: Final = 2**63 - 1
HEAD: Final = ("id", "created", "model")
"""The members that all chunks of a stream share."""
PROMPT_COUNTS: Final = frozenset({"prompt_tokens", "prompt_tokens_details"})


@dataclass(frozen=True, slots=True)
class Parts:
    """The requests, and how to join their answers."""

    requests: tuple[Document, ...]
    prompts: tuple[int, ...]
    """The number of each request's prompt."""
    each: int
    """The number of choices in each answer."""


def by_prompt(document: Document, choices: int) -> Parts:
    """A request for each prompt, each with `choices` choices."""
    prompts = document.get("prompt")
    if not is_several(prompts):
        return Parts((document,), (0,), choices)
    return Parts(
        tuple({**document, "prompt": prompt} for prompt in prompts or ()),
        tuple(range(len(prompts or ()))),
        choices,
    )


def by_choice(parts: Parts) -> Parts:
    """A request for each choice. The first keeps the client's seed; each further one adds its number to it.

    So sampled choices differ, but repeating the request gives the same choices.
    """
    each = parts.each
    requests = tuple(_one(request, number) for request in parts.requests for number in range(each))
    return Parts(requests, tuple(prompt for prompt in parts.prompts for _ in range(each)), 1)


def by_input(document: Document) -> Parts:
    """A request for each input of an embedding."""
    inputs = document.get("input")
    if not is_several(inputs):
        return Parts((document,), (0,), 1)
    return Parts(
        tuple({**document, "input": each} for each in inputs or ()), tuple(range(len(inputs or ()))), 1
    )


def is_several(value: object) -> bool:
    """Whether it is a list of texts or of token lists; a list of tokens is a single input."""
    return isinstance(value, list) and bool(value) and not isinstance(value[0], int)


def _one(document: Document, number: int) -> Document:
    one = {name: value for name, value in document.items() if name not in {"n", "best_of"}}
    seed = document.get("seed")
    if number and isinstance(seed, int):
        one["seed"] = seed + number if seed + number <= GREATEST_SEED else seed - number
    return one


class Joined:
    """Joins several repaired answers into one.

    In a stream, an answer waits until all answers before it have begun, because openai-python expects choices to begin
    in order.
    """

    def __init__(self, parts: Parts, rule: str, noted: Noted) -> None:
        self._parts, self._rule, self._noted = parts, rule, noted
        self._head: Document = {}
        self._waiting: dict[int, list[Document]] = {source: [] for source in range(len(parts.requests))}
        self._begun = 0  # answers that need not wait
        self._counts: dict[int, Document] = {}
        self._counted: Document | None = None

    def chunk(self, source: int, chunk: Document) -> Iterable[Document]:
        """The chunk with its choice renumbered and the id of the whole stream; usage is kept until the end."""
        if not self._head:
            self._head = {name: chunk[name] for name in HEAD if name in chunk}
            self._noted(self._rule)
        made = self._made(source, chunk)
        if made is not None and source >= self._begun:
            self._waiting[source].append(made)
            return self._released()
        return () if made is None else (made,)

    def _made(self, source: int, chunk: Document) -> Document | None:
        choices, usage = chunk.get("choices"), chunk.get("usage")
        if isinstance(usage, dict):
            self._counts[source] = usage
            self._counted = {**chunk, **self._head, "choices": []}
            if not choices:
                return None
            chunk = {**chunk, "usage": None}
        first = source * self._parts.each
        return {**chunk, **self._head, "choices": [_numbered(each, first) for each in choices or ()]}

    def _released(self) -> list[Document]:
        """The chunks that waited for an answer that has now begun."""
        released: list[Document] = []
        while waiting := self._waiting.get(self._begun):
            released += waiting
            self._begun += 1
        return released

    def end(self) -> Iterable[Document]:
        """The chunk with the total usage, if every answer reported its usage."""
        left = [made for source in range(self._begun, len(self._waiting)) for made in self._waiting[source]]
        return [*left, *self._total()]

    def _total(self) -> Iterable[Document]:
        if self._counted is None or len(self._counts) < len(self._parts.requests):
            return ()
        usages = [self._counts[source] for source in range(len(self._parts.requests))]
        return ({**self._counted, "usage": total(usages, self._parts.prompts)},)

    def whole(self, bodies: Sequence[Document]) -> Document:
        """The first answer with the choices or vectors of all answers, and the total usage."""
        self._noted(self._rule)
        joined = dict(bodies[0])
        for name in ("choices", "data"):
            if name in joined:
                joined[name] = [
                    _numbered(each, source * self._parts.each)
                    for source, body in enumerate(bodies)
                    for each in body.get(name) or ()
                ]
        usages = [body["usage"] for body in bodies if isinstance(body.get("usage"), dict)]
        if len(usages) == len(bodies):
            joined["usage"] = total(usages, self._parts.prompts)
        else:
            joined.pop("usage", None)
        return joined


def total(usages: Sequence[Document], prompts: Sequence[int]) -> Document:
    """The total usage: prompt tokens once for each prompt, completion tokens of all answers."""
    seen: set[int] = set()
    counted: Document = {}
    for usage, prompt in zip(usages, prompts, strict=True):
        names = usage.keys() - (PROMPT_COUNTS if prompt in seen else set())
        counted = _sum(counted, {name: value for name, value in usage.items() if name in names})
        seen.add(prompt)
    if {"prompt_tokens", "total_tokens"} <= counted.keys():
        counted["total_tokens"] = counted["prompt_tokens"] + counted.get("completion_tokens", 0)
    return counted


def _sum(one: Document, other: Document) -> Document:
    """Numbers are added, objects summed by member; of other values the first is kept."""
    added = dict(one)
    for name, value in other.items():
        known = added.get(name)
        if known is None:
            added[name] = value
        elif isinstance(known, dict) and isinstance(value, dict):
            added[name] = _sum(known, value)
        elif _is_number(known) and _is_number(value):
            added[name] = known + value
    return added


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbered(entry: Document, first: int) -> Document:
    return {**entry, "index": first + entry.get("index", 0)} if first else entry
