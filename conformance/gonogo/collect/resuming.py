"""What an interrupted run leaves to the one that goes on with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gonogo.collect.answers import found_nobody
from gonogo.collect.collector import ids_from
from gonogo.errors import UsageError
from gonogo.stimuli.life import is_sign_of_life, suspects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gonogo.evidence import Record, Target
    from gonogo.exchange import Exchange

GREETING = "greeting: "


@dataclass(frozen=True, slots=True)
class Held:
    """A record to go on with, of which everything that will be sent again is left out."""

    record: Record

    @classmethod
    def of(cls, record: Record) -> Held:
        """What a record holds of the target.

        A request that found nobody there tells nothing, and neither does a sign of life that was asked for
        after such requests only; both go, and so does what was not sent. All that reached the target stays,
        whatever it did to it.
        """
        counted = [e for e in record.exchanges if e.stimulus not in record.unsent]
        reached = {e.stimulus for e in counted if not found_nobody(e)}
        kept = (
            e
            for e in counted
            if (
                not reached.isdisjoint(suspects(e.stimulus))
                if is_sign_of_life(e.stimulus)
                else not found_nobody(e)
            )
        )
        return cls(replace(record, exchanges=tuple(kept), unsent={}, truncated=False))

    @property
    def exchanges(self) -> Mapping[str, Exchange]:
        """What need not be sent again, by the key of the stimulus."""
        return {e.stimulus: e for e in self.record.exchanges if not e.stimulus.startswith(GREETING)}

    def ids(self, letter: str) -> Iterator[str]:
        """New ids with this letter, which go on where those of the record end."""
        found = (re.fullmatch(rf"{letter}(\d+)", e.id) for e in self.record.exchanges)
        return ids_from(letter, 1 + max((int(match[1]) for match in found if match), default=0))

    def refuse_other(self, target: Target, extra_body: Mapping[str, object]) -> None:
        """Raise UsageError where this is not what the record is of: another target, model or extra body."""
        if extra_body != self.record.extra_body:
            raise UsageError("--resume goes on with the --extra-body of the evidence file: give the same.")
        was = self.record.target
        for what, old, new in (
            ("the target", was.base_url, target.base_url),
            ("the model", was.model, target.model),
            ("the embedding model", was.embedding_model, target.embedding_model),
        ):
            if old != new:
                raise UsageError(
                    f"--resume goes on with what the evidence file is of: {what} there is {old or 'none'}, "
                    f"and here {new or 'none'}."
                )
