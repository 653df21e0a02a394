"""Stop sequences taken from the target's own text.

A greedy text is requested twice. If it repeats, a part of it across the border of two pieces is sent as a stop
sequence, and the expected answer is known exactly for any model.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import accumulate, islice
from typing import TYPE_CHECKING

from gonogo.reasons import Reason
from gonogo.stimuli.bodies import post
from gonogo.stimuli.observed import pieces, text
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.repeatable import GREEDY, greedy, like_greedy
from gonogo.stimuli.stimulus import Endpoint, Likeness, NotPossible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.stimulus import Stimulus, Subject

    Make = Callable[[list[str]], str | list[str]]

NEVER = "gonogo-never"

BETWEEN = 4
"""Characters: enough to tell a text that ends at the later of two stop sequences from one that ends at the earlier."""

# Characters before and after a border: enough to be unique in the text, few enough to lie in two tokens.
_SIZES = ((2, 2), (1, 2), (2, 3), (3, 3), (4, 4), (6, 6))


def across_a_border(parts: list[str]) -> str:
    """A part of the text that begins in one piece and ends in another. Raises NotPossible if none is suitable.

    It first occurs at the border, has text before and after it, and neither it nor the text before it ends with a
    space, because servers trim spaces.
    """
    text = "".join(parts)
    borders = list(accumulate(map(len, parts)))[:-1] or [len(text) // 2]
    last = borders[-1] if len(borders) > 1 else len(text) - 1
    found = [stop for stop in _cuts(text, borders, last) if "\ufffd" not in stop]
    if not found:
        raise NotPossible(Reason.NO_FIT_STOP, text=text)
    return next((stop for stop in found if stop.isascii()), found[0])


def earliest_is_last(parts: list[str]) -> list[str]:
    """Stop sequences of which the last one comes first in the text, with some text before the next."""
    text = "".join(parts)
    stop = across_a_border(parts)
    after = text.index(stop) + len(stop)
    later = (text[start : start + 3] for start in range(after + BETWEEN, len(text) - 2))
    fit = (part for part in later if part.strip() == part and text.index(part) >= after)
    return [NEVER, *islice(fit, 1), stop]


def begun_at_the_end(parts: list[str]) -> str:
    """A stop sequence that begins with the last characters of the text, and never occurs."""
    return "".join(parts)[-2:] + NEVER


def _cuts(text: str, borders: list[int], last: int) -> Iterator[str]:
    """Parts across the borders, those in the middle of the text first."""
    for border in sorted(borders, key=lambda border: abs(border - len(text) / 2)):
        for before, after in _SIZES:
            start, end = border - before, border + after
            if start < 1 or end > last:
                continue
            stop = text[start:end]
            trimmed = stop.strip() == stop and text[:start].rstrip() == text[:start]
            if trimmed and text.index(stop) == start:
                yield stop


def stopped(endpoint: Endpoint, name: str, make: Make, *, streamed: bool = False) -> Stimulus:
    """The greedy request with a `stop` made from the pieces of the greedy text.

    Building it raises NotPossible if the greedy text did not repeat.
    """
    plain = post(endpoint, GREEDY, streamed=streamed)
    first = greedy(endpoint)
    again = first.repeated(2)

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        given, repeated = answers[first.key], answers[again.key]
        said = pieces(given)
        if "".join(said) != "".join(pieces(repeated)):
            raise NotPossible(Reason.NOT_REPEATED, given, repeated)
        request = plain.build(subject, answers)
        body = json.loads(request.body) | {"stop": make(said)}
        return replace(request, body=json.dumps(body, ensure_ascii=False).encode())

    return replace(
        plain,
        key=f"{plain.key} stopped {name}",
        build=build,
        needs=(first, again),
        like=Likeness(first.key, is_cut),
    )


def is_cut(base: Exchange, exchange: Exchange) -> bool:
    """Whether a text ends where the first stop sequence of its request begins in the base's text."""
    fields = exchange.request.fields
    whole, given = text(base), fields.get("stop", fields.get("stop_sequences"))
    stops = given if isinstance(given, list) else [given]
    places = [whole.index(stop) for stop in stops if isinstance(stop, str) and stop in whole]
    return text(exchange).strip() == whole[: min(places, default=None)].strip()


def _register() -> None:
    for noun, endpoint in {"chat completion": Endpoint.CHAT, "completion": Endpoint.COMPLETIONS}.items():
        for verb, streamed in {"requested": False, "streamed": True}.items():
            head = f"a greedy {noun} is {verb}"
            whole = like_greedy(post(endpoint, GREEDY))
            when.add(head, _asks(greedy(endpoint) if streamed else whole))
            for tail, name, make in _MADE:
                when.add(f"{head} with {tail}", _asks(stopped(endpoint, name, make, streamed=streamed)))


def _asks(stimulus: Stimulus) -> Callable[[], Ask]:
    return lambda: Ask(stimulus)


_MADE: tuple[tuple[str, str, Make], ...] = (
    ("a part of its text as stop", "within its text", across_a_border),
    (
        "several stops, of which the last comes first",
        "where the last of a list comes first",
        earliest_is_last,
    ),
    ("a stop that its end begins", "by what its end begins", begun_at_the_end),
)
_register()
