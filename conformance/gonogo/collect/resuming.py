"""Continues an interrupted run from its evidence."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from gonogo.collect.answers import found_nobody, ran_out_of_time
from gonogo.errors import UsageError
from gonogo.reasons import LOST
from gonogo.stimuli.life import is_sign_of_life, suspects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gonogo.evidence import Record, Target
    from gonogo.exchange import Exchange

GREETING = "greeting: "


def held(record: Record) -> Record:
    """The record without exchanges that will be sent again.

    A request that reached no server proves nothing, and neither does a sign of life that followed only such requests;
    both are dropped, and so are unsent stimuli. Time-outs are dropped too, unless they may have stopped the target.
    All other exchanges that reached the target are kept, including failures.
    """
    lost = [because for because in record.unsent.values() if because.reason in LOST]
    blamed = {suspect for because in lost for suspect in because.about}
    counted = [
        e
        for e in record.exchanges
        if e.stimulus not in record.unsent
        and (not ran_out_of_time(e) or e.id in blamed or is_sign_of_life(e.stimulus))
    ]
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
    return replace(record, exchanges=tuple(kept), unsent={}, truncated=False)


def known_of(record: Record) -> Mapping[str, Exchange]:
    """The exchanges of a record that need not be sent again, by the key of the stimulus."""
    return {e.stimulus: e for e in record.exchanges if not e.stimulus.startswith(GREETING)}


def ids_from(letter: str, first: int) -> Iterator[str]:
    """Ids of exchanges: "x1", "x2", and so on."""
    return (f"{letter}{number}" for number in count(first))


def ids_after(records: Iterable[Record], letter: str) -> Iterator[str]:
    """New ids with this letter, which continue those of the records."""
    found = (re.fullmatch(rf"{letter}(\d+)", e.id) for record in records for e in record.exchanges)
    return ids_from(letter, 1 + max((int(match[1]) for match in found if match), default=0))


def refuse_other(
    records: Sequence[Record], targets: Sequence[Target], extra_body: Mapping[str, object]
) -> None:
    """Raise UsageError if the records are of another target, model or extra body."""
    if extra_body != records[0].extra_body:
        raise UsageError("--resume needs the same --extra-body as the evidence file.")
    was, here = [record.target for record in records], list(targets)
    several = len(was) > 1 or len(here) > 1
    for what, old, new in (
        ("the target is", was[0].base_url, here[0].base_url),
        ("the models are" if several else "the model is", _models(was), _models(here)),
        ("the embedding model is", was[0].embedding_model, here[0].embedding_model),
    ):
        if old != new:
            raise UsageError(
                f"--resume needs the same target and models as the evidence file: there {what} "
                f"{old or 'none'}, here {new or 'none'}."
            )


def _models(targets: Iterable[Target]) -> str:
    return ", ".join(target.model or "none" for target in targets)
