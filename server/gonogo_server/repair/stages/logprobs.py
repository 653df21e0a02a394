"""The form of log probabilities in a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.repair.logprobs import of_chat, of_completion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted, Requested

RULES: Final = ("chat.stream.logprobs", "completions.stream.logprobs")


class Logprobs:
    """Gives log probabilities the form of the operation; null if there are none."""

    def __init__(self, requested: Requested, noted: Noted) -> None:
        self._noted = noted
        self._chat = requested.operation == "chat"
        self._written: dict[int, int] = {}  # characters of each text so far

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk with log probabilities in the right form."""
        edited = False
        for choice in chunk["choices"]:
            if self._chat:
                if choice.get("logprobs") is not None:
                    edited |= self._mend_chat(choice)
            else:
                edited |= self._mend_completion(choice)
        return ({**chunk} if edited else chunk,)

    def end(self) -> Iterable[Document]:
        """Nothing more."""
        return ()

    def _mend_chat(self, choice: Document) -> bool:
        right = of_chat(choice["logprobs"])
        if right is choice["logprobs"]:
            return False
        choice["logprobs"] = right
        self._noted(RULES[0])
        return True

    def _mend_completion(self, choice: Document) -> bool:
        offset = self._written.get(choice["index"], 0)
        self._written[choice["index"]] = offset + len(choice["text"])
        found = choice.get("logprobs")
        right = None if found is None else of_completion(found, choice["text"], offset)
        if right is found and "logprobs" in choice:
            return False
        choice["logprobs"] = right
        self._noted(RULES[1])
        return True
