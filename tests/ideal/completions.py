"""Completions: the continuation of one or several texts, with the text itself if it is echoed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ideal import logprobs, served
from ideal.generation import Generated, generate, stop_sequences
from ideal.language import Drawn, Sampling, decoded, read, sentence, speak, tokens
from ideal.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
DEFAULT_LIMIT = 16


@dataclass(frozen=True, slots=True)
class Continued:
    """One choice: the echo and the generated text."""

    echoed: tuple[Drawn, ...]
    said: Generated
    logprobs: int | None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(token.text for token in self.echoed) + self.said.text

    @property
    def all_logprobs(self) -> Json | None:
        """The log probabilities of the whole text, or None."""
        return self._logprobs((*self.echoed, *self.said.drawn), 0)

    def pieces(self) -> Iterator[tuple[str, Json | None, str | None]]:
        """The pieces of the text, each with its log probabilities and finish reason."""
        if self.echoed:
            yield "".join(token.text for token in self.echoed), self._logprobs(self.echoed, 0), None
        for number, token in enumerate(self.said.drawn, len(self.echoed)):
            yield token.text, self._logprobs((token,), number), None
        yield "", None, self.said.finish

    def _logprobs(self, drawn: tuple[Drawn, ...], offset: int) -> Json | None:
        if self.logprobs is None:
            return None
        return logprobs.completion_form(
            drawn, self.logprobs, offset, echoed=bool(self.echoed) and offset == 0
        )


@dataclass(frozen=True, slots=True)
class Continuations:
    """The answer to one request."""

    choices: tuple[Continued, ...]
    prompt_tokens: int
    completion_tokens: int


def complete(body: Json) -> Continuations:
    """Answer a request that matches the schema. Raises Refusal if it breaks another rule of the contract."""
    served.expect(body["model"], "chat")
    n: int = body.get("n", 1)
    best_of: int = body.get("best_of", n)
    _expect_rules(body, n, best_of)
    prompts = _prompts(body["prompt"])
    limit = body.get("max_tokens", DEFAULT_LIMIT)
    size = [len(tokens(prompt + body.get("suffix", ""))) + 1 for prompt in prompts]
    if max(size) + limit > served.CONTEXT_LENGTH:
        raise Refusal("Prompt and limit are too long.", param="prompt", code="context_length_exceeded")
    choices: list[Continued] = []
    count = 0
    for prompt in prompts:
        tried = [_said(body, prompt, limit, number) for number in range(best_of)]
        count += sum(said.count for said in tried)
        best = sorted(tried, key=lambda said: -said.likelihood)[:n] if best_of > n else tried
        echoed = tuple(read(prompt)) if body.get("echo") else ()
        choices += [Continued(echoed, said, body.get("logprobs")) for said in best]
    return Continuations(tuple(choices), sum(size), count)


def _expect_rules(body: Json, n: int, best_of: int) -> None:
    if "stream_options" in body and not body.get("stream"):
        raise Refusal("stream_options needs stream.", param="stream_options")
    if best_of < n or (best_of > n and body.get("stream")):
        raise Refusal("best_of is at least n, and does not stream.", param="best_of")


def _said(body: Json, prompt: str, limit: int, number: int) -> Generated:
    context = prompt + "\0" + body.get("suffix", "")
    speech = speak(sentence(context), Sampling.of(body), prompt=context, choice=number)
    return generate(speech, limit, stop_sequences(body.get("stop")))


def _prompts(prompt: Any) -> list[str]:  # noqa: ANN401 - JSON
    """The texts to continue, in whichever form they were given."""
    if prompt is None:
        return [""]
    if isinstance(prompt, str):
        return [prompt]
    if isinstance(prompt[0], int):
        return [decoded(prompt, "prompt")]
    return [item if isinstance(item, str) else decoded(item, "prompt") for item in prompt]
