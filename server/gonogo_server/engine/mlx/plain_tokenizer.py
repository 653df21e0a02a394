"""A tokenizer without transformers, with the methods that `text` and `reasoning` need.

It has members of mlx_lm's TokenizerWrapper under the same names, with the same results: a test compares the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tokenizers import AddedToken

from gonogo_server.engine.mlx.templates import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenizers import Tokenizer

PAIRS: Final = (
    ("<think>", "</think>"),
    ("<longcat_think>", "</longcat_think>"),
    ("<|think:start|>", "<|think:end|>"),
)
"""Markers of the reasoning that mlx_lm knows: here those of one token each, below those of several tokens."""
SPELLED: Final = (
    (("<|channel>", "<channel|>"), ("<|channel>thought", "<channel|>")),
    (
        ("<|open|>", "<|close|>", "<|sep|>", "<|end_of_msg|>"),
        ("<|open|>think<|sep|>", "<|close|>think<|sep|>"),
    ),
)


class PlainTokenizer:
    """A tokenizer that is all in `tokenizer`.

    `named` has the texts of tokens by the names that transformers uses, as `bos_token`; `template` is a chat
    template in Jinja.
    """

    tool_call_start = tool_call_end = tool_parser = None
    has_tool_calling = False
    response_transitions: Final[Mapping[str, Any]] = {}

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        named: Mapping[str, str],
        end_token_ids: frozenset[int],
        template: str | None,
    ) -> None:
        self._named = named
        whole = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
        tokenizer.add_special_tokens(
            [
                AddedToken(token, special=True, normalized=False)
                for token in named.values()
                if token not in whole
            ]
        )
        self.backend_tokenizer = tokenizer
        self.chat_template = template
        self.bos_token_id = self._id(named.get("bos_token"))
        self.eos_token_id = self._id(named.get("eos_token"))
        own = set() if self.eos_token_id is None else {self.eos_token_id}
        self.eos_token_ids = end_token_ids | own
        self.think_start: str | None
        self.think_end: str | None
        self.think_start, self.think_end = self._marks()
        self.think_start_tokens = self._spelled(self.think_start)
        self.think_end_tokens = self._spelled(self.think_end)

    def __len__(self) -> int:
        size: int = self.backend_tokenizer.get_vocab_size(with_added_tokens=True)
        return size

    @property
    def has_chat_template(self) -> bool:
        """Whether there is a chat template."""
        return self.chat_template is not None

    @property
    def has_thinking(self) -> bool:
        """Whether the vocabulary has markers of the reasoning."""
        return self.think_start is not None

    @property
    def structural_markers(self) -> tuple[str, ...]:
        """Markers of the parts of an answer that are neither reasoning nor calls, if the vocabulary has any."""
        (needed, (start, _)) = SPELLED[1]
        if self.think_start != start or not self._knows(needed):
            return ()
        return ("<|open|>response<|sep|>", "<|close|>response<|sep|>", "<|close|>message<|sep|>")

    @property
    def added_tokens_decoder(self) -> Mapping[int, AddedToken]:
        """The tokens that are matched whole, by id."""
        added: Mapping[int, AddedToken] = self.backend_tokenizer.get_added_tokens_decoder()
        return added

    def apply_chat_template(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tokenize: bool,
        add_generation_prompt: bool,
        **variables: Any,  # noqa: ANN401 - JSON
    ) -> str:
        """The text of the conversation; `tokenize` must be False."""
        assert not tokenize
        assert self.chat_template is not None
        return render(
            self.chat_template,
            messages,
            add_generation_prompt=add_generation_prompt,
            **{**self._named, "enable_thinking": self.has_thinking, **variables},
        )

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        """The ids of a text, with the begin token if the model expects one."""
        ids: list[int] = self.backend_tokenizer.encode(text, add_special_tokens=add_special_tokens).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these ids, including special tokens."""
        text: str = self.backend_tokenizer.decode(ids, skip_special_tokens=False)
        return text

    def _id(self, token: str | None) -> int | None:
        found: int | None = None if token is None else self.backend_tokenizer.token_to_id(token)
        return found

    def _knows(self, tokens: Sequence[str]) -> bool:
        return all(self._id(token) is not None for token in tokens)

    def _marks(self) -> tuple[str | None, str | None]:
        single = [(pair, pair) for pair in PAIRS]
        return next((marks for needed, marks in (*single, *SPELLED) if self._knows(needed)), (None, None))

    def _spelled(self, mark: str | None) -> tuple[int, ...] | None:
        if mark is None:
            return None
        token = self._id(mark)
        return (token,) if token is not None else tuple(self.encode(mark, add_special_tokens=False))
