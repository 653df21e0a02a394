"""Chat completions: the content of each choice, as a message or as deltas."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ideal import logprobs, served, tool_choice
from ideal.conversation import expect_admissible, rendered
from ideal.generation import Generated, generate, stop_sequences
from ideal.instances import instance
from ideal.language import Sampling, sentence, speak, tokens
from ideal.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A function call with generated arguments."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """One choice: text or calls, with its finish reason and token counts."""

    said: Generated
    calls: tuple[Call, ...]
    finish: str
    count: int
    logprobs: int | None

    @property
    def message(self) -> Json:
        """The choice as a whole message."""
        message: Json = {
            "role": "assistant",
            "content": None if self.calls else self.said.text,
            "refusal": None,
        }
        if self.calls:
            message["tool_calls"] = [
                {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
                for c in self.calls
            ]
        return message

    def logprobs_of(self, said: Generated | None) -> Json | None:
        """The log probabilities of the text, or of no tokens; None if they were not requested."""
        if self.logprobs is None:
            return None
        return logprobs.chat_form(() if said is None else said.drawn, self.logprobs)

    def deltas(self) -> Iterator[tuple[Json, Json | None, str | None]]:
        """The pieces of the message, each with its log probabilities and finish reason."""
        yield {"role": "assistant", "content": None if self.calls else ""}, self.logprobs_of(None), None
        for number, call in enumerate(self.calls):
            head = {"name": call.name, "arguments": ""}
            yield _call_delta(index=number, id=call.id, type="function", function=head), None, None
            for letter in call.arguments:
                yield _call_delta(index=number, function={"arguments": letter}), None, None
        for token in self.said.drawn:
            piece = Generated((token,), "", 1)
            yield {"content": token.text}, self.logprobs_of(piece), None
        yield {}, None, self.finish


@dataclass(frozen=True, slots=True)
class Chat:
    """The answer to one request."""

    choices: tuple[Spoken, ...]
    prompt_tokens: int
    completion_tokens: int


def chat(body: Json, call_ids: Iterator[str]) -> Chat:
    """Answer a request that matches the schema. Raises Refusal if it breaks another rule of the contract."""
    served.expect(body["model"], "chat")
    _expect_rules(body)
    prompt = rendered(body["messages"], body.get("tools", []))
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    size = len(tokens(prompt)) + 1
    if size + (limit or 1) > served.CONTEXT_LENGTH:
        raise Refusal(
            f"Prompt and limit are longer than {served.CONTEXT_LENGTH} tokens.",
            param="messages",
            code="context_length_exceeded",
        )
    calls = tool_choice.called(body)
    choices = tuple(
        _called(body, calls, limit, call_ids) if calls else _spoken(body, prompt, limit, number)
        for number in range(body.get("n", 1))
    )
    return Chat(choices, size, sum(choice.count for choice in choices))


def _expect_rules(body: Json) -> None:
    expect_admissible(body["messages"])
    if "top_logprobs" in body and not body.get("logprobs"):
        raise Refusal("top_logprobs needs logprobs.", param="top_logprobs")
    if "stream_options" in body and not body.get("stream"):
        raise Refusal("stream_options needs stream.", param="stream_options")


def _spoken(body: Json, prompt: str, limit: int | None, number: int) -> Spoken:
    constrained = _constrained(body.get("response_format", {"type": "text"}))
    speech = speak(
        sentence(prompt) if constrained is None else constrained,
        Sampling.of(body),
        prompt=prompt,
        choice=number,
        forced=constrained is not None,
    )
    said = generate(speech, limit, stop_sequences(body.get("stop")))
    top = body.get("top_logprobs", 0) if body.get("logprobs") else None
    return Spoken(said, (), said.finish, said.count, top)


def _constrained(form: Json) -> str | None:
    """The only text that the response format allows; None if it allows any."""
    if form["type"] == "text":
        return None
    if form["type"] == "json_object":
        return '{"greeting": "Hëllo 🎉"}'
    schema = form["json_schema"].get("schema", {"type": "object"})
    return json.dumps(instance(schema, "response_format"), ensure_ascii=False)


def _called(body: Json, functions: list[Json], limit: int | None, call_ids: Iterator[str]) -> Spoken:
    """Calls one after the other, until the limit cuts one."""
    calls, count = [], 0
    for function in functions:
        schema = function.get("parameters", {"type": "object"})
        text = json.dumps(instance(schema, "tools"), ensure_ascii=False)
        left = None if limit is None else limit - count
        said = generate(speak(text, Sampling(), forced=True), left, [])
        calls.append(Call(next(call_ids), function["name"], said.text))
        count += said.count
        if said.finish == "length":
            return _calling(body, calls, "length", count)
    return _calling(body, calls, "tool_calls", count)


def _calling(body: Json, calls: list[Call], finish: str, count: int) -> Spoken:
    top = body.get("top_logprobs", 0) if body.get("logprobs") else None
    return Spoken(Generated((), finish, 0), tuple(calls), finish, count, top)


def _call_delta(**fragment: object) -> Json:
    return {"tool_calls": [fragment]}
