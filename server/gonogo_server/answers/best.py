"""`best_of`: more answers are generated than returned. No I/O.

Source: OpenAI API reference, completions, `best_of`: "the one with the highest log probability per token".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from gonogo_server.answers.stream import Counted, Finished

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.answers.stream import Calling, Reasoned, Started, Step, Text


def best(steps: Iterable[Step], n: int, best_of: int) -> list[Step]:
    """The steps of the `n` likeliest of each `best_of` answers, the likeliest first, renumbered.

    Answer j of prompt i comes in with index i * best_of + j and goes out with index i * n + its rank. An answer
    without tokens is the least likely; ties keep their order.
    """
    answers: defaultdict[int, list[Started | Text | Reasoned | Calling | Finished]] = defaultdict(list)
    means: dict[int, float] = {}
    for step in steps:
        assert not isinstance(step, Counted), "all are finished before they are counted"
        answers[step.index].append(step)
        if isinstance(step, Finished):
            means[step.index] = -inf if step.mean_logprob is None else step.mean_logprob
    chosen: list[Step] = []
    for first in range(0, len(answers), best_of):
        ranked = sorted(range(first, first + best_of), key=lambda index: -means[index])
        for place, index in enumerate(ranked[:n], first // best_of * n):
            chosen += [replace(step, index=place) for step in answers[index]]
    return chosen
