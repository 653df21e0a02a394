"""The wire form of answers: chunks and whole objects. No I/O.

Source: OpenAI API reference, "The chat completion chunk object", "The completion object"; recorded streams.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from gonogo_wire import (
    ChatCompletion,
    ChatCompletionChoice,
    ChatCompletionChunk,
    ChatCompletionChunkChoice,
    ChatCompletionDelta,
    ChatCompletionMessage,
    ChatCompletionMessageToolCall,
    ChatCompletionToolCallDelta,
    Completion,
    CompletionChoice,
    CompletionChunk,
    CompletionChunkChoice,
    CompletionTokensDetails,
    FunctionCall,
    FunctionCallDelta,
    PromptTokensDetails,
    Usage,
)
from pydantic import MISSING

from gonogo_server.answers.logprobs import chat_logprobs, completion_logprobs
from gonogo_server.answers.stream import Calling, Counted, Finished, Reasoned, Started, Text
from gonogo_server.filters.calls import Call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_wire import ChatCompletionLogprobs, CompletionLogprobs

    from gonogo_server.answers.align import Placed
    from gonogo_server.answers.stream import Reason, Said, Step, Whole
    from gonogo_server.engine.base import FinishReason
    from gonogo_server.filters.calls import Arguments


@dataclass(frozen=True, slots=True)
class Heading:
    """The members that every chunk of an answer repeats: id, model, creation time (Unix seconds); and its options."""

    model: str
    include_usage: bool = False
    """Whether a stream ends with the token counts; its other chunks then have `"usage": null`."""
    logprobs: bool = False
    """Whether the log probabilities of tokens are given with the text; otherwise null."""
    created: int = field(default_factory=lambda: int(time.time()))
    id: str = field(default_factory=lambda: uuid4().hex)


class ChatForm:
    """Chat completions."""

    def __init__(self, heading: Heading) -> None:
        self._heading = heading
        self._id = f"chatcmpl-{heading.id}"

    def chunk(self, step: Step) -> ChatCompletionChunk | None:
        """The chunk of a step: the first delta has only the role, the last is empty beside the finish reason."""
        match step:
            case Started(index):
                return self._chunk(index, ChatCompletionDelta(role="assistant", content=""), ())
            case Text(index, text, tokens):
                return self._chunk(index, ChatCompletionDelta(content=text), tokens)
            case Reasoned(index, text):
                return self._chunk(index, _reasoning_delta(text), ())
            case Calling(index, part):
                return self._chunk(index, ChatCompletionDelta(tool_calls=[_call_delta(part)]), ())
            case Finished(index, reason, tokens):
                return self._chunk(index, ChatCompletionDelta(), tokens, reason)
            case Counted():
                return self._counted(step) if self._heading.include_usage else None

    def whole(self, whole: Whole) -> ChatCompletion:
        """The whole answer as one object."""
        return ChatCompletion(
            id=self._id,
            object="chat.completion",
            created=self._heading.created,
            model=self._heading.model,
            choices=[
                ChatCompletionChoice(
                    index=index,
                    message=_message(said),
                    logprobs=self._logprobs(said.tokens),
                    finish_reason=said.reason,
                )
                for index, said in enumerate(whole.answers)
            ],
            usage=_usage(whole.counted),
        )

    def _logprobs(self, tokens: Sequence[Placed]) -> ChatCompletionLogprobs | None:
        return chat_logprobs(tokens) if self._heading.logprobs else None

    def _chunk(
        self,
        index: int,
        delta: ChatCompletionDelta,
        tokens: Sequence[Placed],
        reason: Reason | None = None,
    ) -> ChatCompletionChunk:
        return ChatCompletionChunk(
            id=self._id,
            object="chat.completion.chunk",
            created=self._heading.created,
            model=self._heading.model,
            choices=[
                ChatCompletionChunkChoice(
                    index=index, delta=delta, logprobs=self._logprobs(tokens), finish_reason=reason
                )
            ],
            usage=None if self._heading.include_usage else MISSING,
        )

    def _counted(self, counted: Counted) -> ChatCompletionChunk:
        return ChatCompletionChunk(
            id=self._id,
            object="chat.completion.chunk",
            created=self._heading.created,
            model=self._heading.model,
            choices=[],
            usage=_usage(counted),
        )


class CompletionForm:
    """Completions: texts instead of messages, and no chunk that only starts an answer."""

    def __init__(self, heading: Heading) -> None:
        self._heading = heading
        self._id = f"cmpl-{heading.id}"

    def chunk(self, step: Step) -> CompletionChunk | None:
        """The chunk of a step: text as it comes, then an empty text with the finish reason."""
        match step:
            case Started() | Reasoned() | Calling():
                return None
            case Text(index, text, tokens):
                return self._chunk(index, text, tokens)
            case Finished(index, reason, tokens):
                return self._chunk(index, "", tokens, _of_text(reason))
            case Counted():
                return self._counted(step) if self._heading.include_usage else None

    def whole(self, whole: Whole) -> Completion:
        """The whole answer as one object."""
        return Completion(
            id=self._id,
            object="text_completion",
            created=self._heading.created,
            model=self._heading.model,
            choices=[
                CompletionChoice(
                    index=index,
                    text=said.text,
                    logprobs=self._logprobs(said.tokens),
                    finish_reason=_of_text(said.reason),
                )
                for index, said in enumerate(whole.answers)
            ],
            usage=_usage(whole.counted),
        )

    def _logprobs(self, tokens: Sequence[Placed]) -> CompletionLogprobs | None:
        return completion_logprobs(tokens) if self._heading.logprobs else None

    def _chunk(
        self, index: int, text: str, tokens: Sequence[Placed], reason: FinishReason | None = None
    ) -> CompletionChunk:
        return CompletionChunk(
            id=self._id,
            object="text_completion",
            created=self._heading.created,
            model=self._heading.model,
            choices=[
                CompletionChunkChoice(
                    index=index, text=text, logprobs=self._logprobs(tokens), finish_reason=reason
                )
            ],
            usage=None if self._heading.include_usage else MISSING,
        )

    def _counted(self, counted: Counted) -> CompletionChunk:
        return CompletionChunk(
            id=self._id,
            object="text_completion",
            created=self._heading.created,
            model=self._heading.model,
            choices=[],
            usage=_usage(counted),
        )


def _of_text(reason: Reason) -> FinishReason:
    assert reason in ("stop", "length"), "nothing can be called or filtered there"
    return reason


def _message(said: Said) -> ChatCompletionMessage:
    """The message; its content is null if it only calls tools. The reasoning is a separate member."""
    message = _plain_message(said)
    return message.model_copy(update=_reasoning(said.reasoning)) if said.reasoning else message


def _plain_message(said: Said) -> ChatCompletionMessage:
    if not said.calls:
        return ChatCompletionMessage(role="assistant", content=said.text, refusal=None)
    calls = [
        ChatCompletionMessageToolCall(
            id=call.id, type="function", function=FunctionCall(name=call.name, arguments=arguments)
        )
        for call, arguments in said.calls
    ]
    return ChatCompletionMessage(role="assistant", content=said.text or None, refusal=None, tool_calls=calls)


def _reasoning_delta(text: str) -> ChatCompletionDelta:
    return ChatCompletionDelta.model_validate(_reasoning(text))


def _reasoning(text: str) -> dict[str, str]:
    """The reasoning as a member that the API lacks, named as in DeepSeek's API, which other servers adopted."""
    return {"reasoning_content": text}


def _call_delta(part: Call | Arguments) -> ChatCompletionToolCallDelta:
    """The delta of a call: first id, type and name with empty arguments; then arguments only."""
    if isinstance(part, Call):
        return ChatCompletionToolCallDelta(
            index=part.number,
            id=part.id,
            type="function",
            function=FunctionCallDelta(name=part.name, arguments=""),
        )
    return ChatCompletionToolCallDelta(index=part.number, function=FunctionCallDelta(arguments=part.text))


def _usage(counted: Counted) -> Usage:
    return Usage(
        prompt_tokens=counted.prompt_tokens,
        completion_tokens=counted.completion_tokens,
        total_tokens=counted.prompt_tokens + counted.completion_tokens,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=counted.cached_tokens),
        completion_tokens_details=MISSING
        if counted.reasoning_tokens is None
        else CompletionTokensDetails(reasoning_tokens=counted.reasoning_tokens),
    )
