"""The repaired chat completion of an upstream as steps of an answer. No I/O.

Each chunk gives its steps at once. A complete answer is read as one chunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gonogo_server.answers.align import Placed
from gonogo_server.answers.stream import Calling, Counted, Finished, Reasoned, Started, Text
from gonogo_server.engine.base import Alternative, Token
from gonogo_server.errors import UpstreamError
from gonogo_server.filters.calls import Arguments, Call
from gonogo_server.filters.stop import StopFilter
from gonogo_server.surfaces.call_order import CallOrder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gonogo_server.answers.stream import Reason, Step

    Document = dict[str, Any]

REASONS: Final[Mapping[str, Reason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class ChatAnswer:
    """Reads an answer with one choice, and ends it at the first match of `stops`.

    A chat completion does not say which stop sequence matched, so they are not sent to the upstream.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stop = StopFilter(stops)
        self._order = CallOrder()
        self._tokens: tuple[Placed, ...] = ()
        self._begun = self._finished = False
        self._usage: Document | None = None

    def take(self, chunks: Iterable[Document]) -> list[Step]:
        """The steps of these chunks. Raises `UpstreamError` for log probabilities or calls that cannot be read."""
        return [step for chunk in chunks for step in self._chunk(chunk)]

    def end(self) -> list[Step]:
        """The last step, after all chunks. Raises `UpstreamError` if there was no finish reason."""
        if not self._finished:
            raise UpstreamError(
                "The upstream's answer ended before it was finished: try again.", code="upstream_incomplete"
            )
        return [counted(self._usage)]

    def _chunk(self, chunk: Document) -> Iterator[Step]:
        self._usage = chunk.get("usage") or self._usage
        for choice in chunk.get("choices") or ():
            if not self._begun:
                self._begun = True
                yield Started(0)
            if self._finished:
                continue
            for step in self._said(choice):
                yield from self._order.take(step)
            if self._stop.stopped:
                yield from self._ended("stop")
            elif reason := choice.get("finish_reason"):
                yield from self._ended(REASONS[reason])

    def _said(self, choice: Document) -> Iterator[Step]:
        """The steps of a delta: reasoning, content, refusal, tool calls. Nothing after a stop sequence."""
        delta = choice["delta"]
        if reasoning := delta.get("reasoning_content") or delta.get("reasoning"):
            yield from self._text(self._stop.flush())
            yield Reasoned(0, reasoning)
        self._tokens += placed(choice.get("logprobs"))
        yield from self._text(self._stop.feed(delta.get("content") or ""))
        if self._stop.stopped:
            return
        if refusal := delta.get("refusal"):
            yield from self._text(self._stop.flush())
            yield Text(0, refusal, refused=True)
        if fragments := delta.get("tool_calls"):
            yield from self._text(self._stop.flush())
            for fragment in fragments:
                yield from _calls(fragment)

    def _text(self, text: str) -> Iterator[Step]:
        if text:
            tokens, self._tokens = self._tokens, ()
            yield Text(0, text, tokens)

    def _ended(self, reason: Reason) -> Iterator[Step]:
        self._finished = True
        for step in self._text(self._stop.flush()):
            yield from self._order.take(step)
        yield from self._order.end(cut=reason == "length")
        yield Finished(0, reason, self._tokens, stop=self._stop.matched)


def as_chunk(answer: Document) -> Document:
    """A complete answer as a single chunk."""
    return {**answer, "choices": [_as_delta(choice) for choice in answer["choices"]]}


def _as_delta(choice: Document) -> Document:
    message = choice["message"]
    calls = [{**call, "index": number} for number, call in enumerate(message.get("tool_calls") or ())]
    return {**choice, "delta": {**message, "tool_calls": calls}}


def _calls(fragment: Document) -> Iterator[Step]:
    number, function = fragment["index"], fragment.get("function") or {}
    if name := function.get("name"):
        yield Calling(0, Call(number, fragment["id"], name))
    if arguments := function.get("arguments"):
        yield Calling(0, Arguments(number, arguments))


def counted(usage: Document | None) -> Counted:
    """The token counts of an answer; `known` is false if the upstream does not count."""
    if usage is None:
        return Counted(0, 0, known=False)
    prompt: int = usage["prompt_tokens"]
    cached = _detail(usage, "prompt_tokens_details", "cached_tokens") or 0
    reasoning = _detail(usage, "completion_tokens_details", "reasoning_tokens")
    return Counted(prompt, usage["completion_tokens"], min(cached, prompt), reasoning)


def _detail(usage: Document, group: str, name: str) -> int | None:
    details = usage.get(group)
    value = details.get(name) if isinstance(details, dict) else None
    return value if type(value) is int and value >= 0 else None


def placed(logprobs: object) -> tuple[Placed, ...]:
    """The tokens of a choice with log probabilities, possibly none."""
    rows = logprobs.get("content") if isinstance(logprobs, dict) else None
    return tuple(_placed(row) for row in rows or ())


def _placed(row: Document) -> Placed:
    chosen = _alternative(row)
    return Placed(chosen.bytes, 0, Token(chosen, tuple(map(_alternative, row.get("top_logprobs") or ()))))


def _alternative(row: Document) -> Alternative:
    token, logprob, spelled = row.get("token"), row.get("logprob"), row.get("bytes")
    if not isinstance(token, str) or not isinstance(logprob, int | float):
        raise UpstreamError(
            "The upstream's log probabilities cannot be read: try again without them.",
            code="upstream_unreadable",
        )
    return Alternative(0, _bytes(spelled) or token.encode(errors="replace"), logprob)


def _bytes(spelled: object) -> bytes:
    """The bytes of a token; none if the upstream does not give them."""
    if not isinstance(spelled, list) or not all(type(byte) is int and 0 <= byte < 256 for byte in spelled):
        return b""
    return bytes(spelled)
