"""Between text and token ids, for one model. Nothing here touches mlx, so it may run on any one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError
from tokenizers.decoders import DecodeStream

from gonogo_server.errors import BadRequest, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gonogo_server.engine.base import Message


class Text:
    """What a model's tokenizer knows: its template, its vocabulary, and the tokens that end an answer.

    `tokenizer` is an `mlx_lm` TokenizerWrapper around a fast (Rust) tokenizer; `context_length` is in tokens.
    """

    def __init__(self, tokenizer: Any, context_length: int) -> None:  # noqa: ANN401 - mlx_lm has no types
        if not hasattr(tokenizer, "backend_tokenizer"):
            raise ModelUnavailable("it has no fast tokenizer (tokenizer.json)")
        self._tokenizer = tokenizer
        self.context_length = context_length
        self.end_tokens = frozenset(tokenizer.eos_token_ids)

    def chat_prompt(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """The token ids of the conversation up to where the assistant's answer begins.

        Raises `BadRequest` where the model has no template, or its template refuses the messages.
        """
        if not self._tokenizer.has_chat_template:
            raise BadRequest("This model has no chat template; ask it for completions.", param="model")
        try:
            ids = self._tokenizer.apply_chat_template(list(messages), add_generation_prompt=True)
        except (TemplateError, ValueError) as error:
            raise BadRequest(
                f"The model's chat template refuses these messages: {error}", param="messages"
            ) from error
        return tuple(ids)

    def encode(self, text: str) -> tuple[int, ...]:
        """The token ids of the text, after a begin token where the model wants one; never none at all."""
        ids = tuple(self._tokenizer.encode(text))
        return ids or (self._first_token(),)

    def stream(self) -> Callable[[int], str]:
        """A function from the next token of an answer to the whole characters that it completes.

        Special tokens have no text. Bytes that no token ever completes to a character are left out.
        """
        stream = DecodeStream(skip_special_tokens=True)
        tokenizer = self._tokenizer.backend_tokenizer
        return lambda token: stream.step(tokenizer, token) or ""

    def _first_token(self) -> int:
        begin = self._tokenizer.bos_token_id
        return int(min(self.end_tokens) if begin is None else begin)
