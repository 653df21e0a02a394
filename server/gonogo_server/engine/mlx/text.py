"""Between text and token ids, for one model. Nothing here touches mlx, so it may run on any one thread."""

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
"""The special tokens before prefix, suffix and answer, as families of code models name them."""


class Text:
    """What a model's tokenizer knows: its template, its vocabulary, and the tokens that end an answer.

    `tokenizer` is an `mlx_lm` TokenizerWrapper around a fast (Rust) tokenizer, or a `PlainTokenizer`; `context_length`
    is in tokens, `vocabulary` the number of logits that the model gives.
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
        """The token ids of the conversation up to where the assistant's answer begins.

        `effort` is one of those of `reasoning_style`, `variables` are for the template. Raises `BadRequest` if
        the model has no template, or its template refuses the messages, `TooLong` where they are sure to be more than
        its context.
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
        """How the model reasons; its template is tried out for that, in some milliseconds, once."""
        return self._reasoning.style(self._is_unspelled)

    def opens_reasoning(self, prompt: Sequence[int]) -> bool:
        """Whether nothing but blanks stands between the start marker of the reasoning and the end of the prompt."""
        return self._reasoning.opened_by(prompt)

    def tool_style(self) -> ToolStyle | None:
        """How the model calls tools, where mlx_lm has a parser for what its template asks of it."""
        if not self._tokenizer.has_tool_calling:
            return None
        start, end = self._tokenizer.tool_call_start, self._tokenizer.tool_call_end
        parse = self._tokenizer.tool_parser
        # Other parsers read JSON as well, but their models were trained on something else.
        json = parse.__module__.endswith(".json_tools")
        return ToolStyle(start, end or "", parse, json, self._unspelled(start), self._unspelled(end))

    def infill_prompt(self, prefix: str, suffix: str) -> tuple[int, ...]:
        """The token ids that ask for what stands between two texts.

        Raises `BadRequest` if none can, `TooLong` as `encode` does.
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
        """The token ids of the text, after a begin token where the model wants one; never none at all.

        Raises `TooLong` for a long text that is sure to have more than the context.
        """
        self._check_length(text)
        ids = tuple(self._tokenizer.encode(text))
        return ids or (self._first_token(),)

    def spell(self, token: int) -> bytes:
        """What the token adds to a text, perhaps part of a character; of a special one, its name."""
        return self.grammar_tokenizer.decode_bytes([token])

    def decode(self, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """What each token adds to a text; nothing for special ones."""
        special = self.grammar_tokenizer.is_special_token
        return tuple(b"" if special(token) else self.spell(token) for token in tokens)

    def stream(self) -> Callable[[int], str]:
        """A function from the next token of an answer to the whole characters that it completes.

        Special tokens have no text, but those do that begin and end a tool call or the reasoning. Bytes that no
        token ever completes to a character are omitted.
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
                # "Invalid prefix": with this token, what was given out already would read otherwise.
                stream = DecodeStream(skip_special_tokens=True)
                return stream.step(tokenizer, token) or ""

        return step

    def matcher(self, grammar: str) -> LLMatcher:
        """What follows the grammar, from its beginning. Raises `BadRequest` if it cannot be followed."""
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
        """The vocabulary as llguidance reads it; every end token ends what a grammar lets through."""
        plain = self._tokenizer.backend_tokenizer
        if plain.padding or plain.truncation:  # neither is a grammar's
            plain = Tokenizer.from_str(plain.to_str())
            plain.no_padding()
            plain.no_truncation()
        return LLTokenizer(
            plain.to_str(),
            n_vocab=max(self.vocabulary, len(self._tokenizer)),
            # A configuration may name more than the tokenizer has.
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
        """The id of a mark that a grammar cannot spell."""
        token = self._special(mark) if mark else None
        return token if token is not None and self._is_unspelled(token) else None

    def _is_unspelled(self, token: int) -> bool:
        """Whether it is special to llguidance, to which each added token in pointed brackets is."""
        special: bool = self.grammar_tokenizer.is_special_token(token)
        return special

    def _first_token(self) -> int:
        begin = self._tokenizer.bos_token_id
        return int(min(self.end_tokens) if begin is None else begin)
