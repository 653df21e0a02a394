"""Converts between text and token ids for one model. It does not use mlx, so it may run on any one thread."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError
from llguidance import LLMatcher, LLTokenizer
from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from gonogo_server.engine.base import NO_VARIABLES, ToolStyle
from gonogo_server.engine.measure import check_length
from gonogo_server.engine.mlx.reasoning import Reasoning
from gonogo_server.engine.template import template_variables
from gonogo_server.errors import BadRequest, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gonogo_server.engine.base import Effort, Message, ReasoningStyle

INFILL = (
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
    ("<|prefix|>", "<|suffix|>", "<|middle|>"),
    ("<PRE>", "<SUF>", "<MID>"),
)
"""The special tokens before prefix, suffix and answer, in several families of code models."""


class Text:
    """The tokenizer of a model: its chat template, its vocabulary, and the tokens that end an answer.

    `tokenizer` is an `mlx_lm` TokenizerWrapper around a fast (Rust) tokenizer, or a `PlainTokenizer`. `context_length`
    is in tokens; `vocabulary` is the number of logits of the model.
    """

    def __init__(self, tokenizer: Any, context_length: int, vocabulary: int) -> None:  # noqa: ANN401 - mlx_lm has no types
        if not hasattr(tokenizer, "backend_tokenizer"):
            raise UnsupportedModel("it has no fast tokenizer (tokenizer.json)")
        self._tokenizer = tokenizer
        self.context_length = context_length
        self.vocabulary = vocabulary
        self.end_tokens = frozenset(tokenizer.eos_token_ids)
        self._reasoning = Reasoning(tokenizer)
        self._shown: dict[int, str] = {
            token: mark
            for mark in (tokenizer.tool_call_start, tokenizer.tool_call_end)
            if mark and (token := self._special(mark)) is not None
        } | self._reasoning.shown

    def chat_prompt(
        self,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] = (),
        effort: Effort | None = None,
        variables: Mapping[str, Any] = NO_VARIABLES,
    ) -> tuple[int, ...]:
        """The token ids of the conversation, up to the start of the assistant's answer.

        `effort` is one of those of `reasoning_style`; `variables` are passed to the template. Raises `BadRequest` if
        the model has no template, or if the template refuses the messages, and `TooLong` if they certainly exceed the
        context.
        """
        if not self._tokenizer.has_chat_template:
            raise BadRequest("This model has no chat template; use completions instead.", param="model")
        given: dict[str, Any] = {"tools": list(tools)} if tools else {}
        if effort is not None:
            given |= self._reasoning.settings[effort]
        given |= template_variables(variables)
        try:
            text = self._tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=True, **given
            )
        except (TemplateError, ValueError, TypeError) as error:
            raise BadRequest(
                f"The model's chat template refuses these messages: {error}", param="messages"
            ) from error
        return self._plain(text)

    @cached_property
    def reasoning_style(self) -> ReasoningStyle | None:
        """How the model reasons; the first access renders the template several times, which takes milliseconds."""
        return self._reasoning.style(self._is_unspelled)

    def opens_reasoning(self, prompt: Sequence[int]) -> bool:
        """Whether the prompt ends with the start marker of the reasoning, ignoring trailing whitespace."""
        return self._reasoning.opened_by(prompt)

    def tool_style(self) -> ToolStyle | None:
        """How the model calls tools; None if mlx_lm has no parser for the form in its template."""
        if not self._tokenizer.has_tool_calling:
            return None
        start, end = self._tokenizer.tool_call_start, self._tokenizer.tool_call_end
        parse = self._tokenizer.tool_parser
        # Other parsers accept JSON as well, but their models were trained on another form.
        json = parse.__module__.endswith(".json_tools")
        return ToolStyle(start, end or "", parse, json, self._unspelled(start), self._unspelled(end))

    def infill_prompt(self, prefix: str, suffix: str) -> tuple[int, ...]:
        """The token ids of a prompt for the text between `prefix` and `suffix`.

        Raises `BadRequest` if the model was not trained on such prompts, and `TooLong` like `encode`.
        """
        for names in INFILL:
            marks = [self._special(name) for name in names]
            before, after, middle = marks
            if before is not None and after is not None and middle is not None:
                return (before, *self._plain(prefix), after, *self._plain(suffix), middle)
        raise BadRequest(
            "This model was not trained to fill in the middle: remove 'suffix'.",
            param="suffix",
            code="unsupported_parameter",
        )

    def encode(self, text: str) -> tuple[int, ...]:
        """The token ids of the text, after a begin token if the model expects one; always at least one.

        Raises `TooLong` if a long text certainly exceeds the context.
        """
        self._check_length(text)
        ids = tuple(self._tokenizer.encode(text))
        return ids or (self._first_token(),)

    def spell(self, token: int) -> bytes:
        """The bytes of the token, perhaps part of a character; for a special token, its name."""
        return self.grammar_tokenizer.decode_bytes([token])

    def decode(self, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """The bytes of each token; empty for special tokens."""
        special = self.grammar_tokenizer.is_special_token
        return tuple(b"" if special(token) else self.spell(token) for token in tokens)

    def stream(self) -> Callable[[int], str]:
        """A function that takes the next token of an answer and returns the whole characters that it completes.

        Special tokens have no text, except those that start or end a tool call or the reasoning. Bytes that never
        become a complete character are omitted.
        """
        stream = DecodeStream(skip_special_tokens=True)
        tokenizer, shown = self._tokenizer.backend_tokenizer, self._shown

        def step(token: int) -> str:
            nonlocal stream
            if token in shown:
                return shown[token]
            try:
                return stream.step(tokenizer, token) or ""
            except Exception:  # noqa: BLE001 - tokenizers raises nothing more specific
                # "Invalid prefix": this token would change text that was already returned.
                stream = DecodeStream(skip_special_tokens=True)
                return stream.step(tokenizer, token) or ""

        return step

    def matcher(self, grammar: str) -> LLMatcher:
        """A matcher of the grammar, at its start. Raises `BadRequest` if the grammar cannot be compiled."""
        matcher = LLMatcher(self.grammar_tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise BadRequest(
                "The schemas of this request cannot be enforced with the vocabulary of this model: "
                "make them smaller.",
                code="invalid_json_schema",
            )
        return matcher

    @cached_property
    def grammar_tokenizer(self) -> LLTokenizer:
        """The vocabulary as a tokenizer of llguidance; any of the end tokens may end an answer."""
        plain = self._tokenizer.backend_tokenizer
        if plain.padding or plain.truncation:  # llguidance needs a tokenizer without them
            plain = Tokenizer.from_str(plain.to_str())
            plain.no_padding()
            plain.no_truncation()
        return LLTokenizer(
            plain.to_str(),
            n_vocab=max(self.vocabulary, len(self._tokenizer)),
            # A configuration may list end tokens that the tokenizer does not have.
            eos_token=sorted(token for token in self.end_tokens if token < len(self._tokenizer))
            or self._tokenizer.eos_token_id,
        )

    def _check_length(self, text: str) -> None:
        read = self._tokenizer.backend_tokenizer.encode_batch_fast
        check_length(text, self.context_length, lambda part: len(read([part], add_special_tokens=False)[0]))

    def _plain(self, text: str) -> tuple[int, ...]:
        self._check_length(text)
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def _special(self, mark: str) -> int | None:
        token: int | None = self._tokenizer.backend_tokenizer.token_to_id(mark)
        return token

    def _unspelled(self, mark: str | None) -> int | None:
        """The id of a marker that a grammar cannot spell; None if it can."""
        token = self._special(mark) if mark else None
        return token if token is not None and self._is_unspelled(token) else None

    def _is_unspelled(self, token: int) -> bool:
        """Whether llguidance treats the token as special, like every added token in angle brackets."""
        special: bool = self.grammar_tokenizer.is_special_token(token)
        return special

    def _first_token(self) -> int:
        begin = self._tokenizer.bos_token_id
        return int(min(self.end_tokens) if begin is None else begin)
