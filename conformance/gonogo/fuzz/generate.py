"""Prints cases from Schemathesis, one JSON object per line: `python -m gonogo.fuzz.generate SEED CASES`.

It runs in its own process: Schemathesis changes Hypothesis for the whole process, and Hypothesis writes into its
working directory and draws constants from loaded modules. The same seed therefore produces the same cases, independent
of the caller's imports.

Two of its phases are used: coverage, which enumerates the boundaries of each field in a fixed order, and fuzzing, which
draws at random. Its checks on the answers run later, in `gonogo.fuzz.checking`.
"""

from __future__ import annotations

import base64
import json
import math
import random
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import hypothesis
import schemathesis
from hypothesis import strategies
from hypothesis.errors import Unsatisfiable

from gonogo.fuzz.contract import closed, requests, required
from gonogo.fuzz.inside import NOT_SET, FeedbackSources, InvalidSchema, Ok
from gonogo.stimuli.stimulus import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hypothesis.strategies import SearchStrategy

MODES = tuple(schemathesis.GenerationMode)
KEPT = frozenset({"prompt", "input"})
"""Fields that every case of an operation keeps, although the schema does not require them."""
POSITIVE_SHARE = 2
"""The frequency of valid cases relative to others, while there are any."""
LEAST_DRAWN, DRAWN_SHARE = 4, 72
"""Of N cases, N/72 are drawn at random for each operation and mode, at least 4."""

Operation = schemathesis.APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Any]
Told = dict[str, Any]


def main(arguments: Sequence[str]) -> None:
    """Print the cases."""
    seed, most = map(int, arguments)
    for case in cases(seed, most):
        sys.stdout.write(json.dumps(case) + "\n")


def cases(seed: int, most: int) -> list[Told]:
    """At most `most` cases of all operations, with their kinds mixed.

    A case is `{operation, method, model, content_type, body, positive, scenario}`: `model` is the id in the path
    or null, `body` is null, `{"json": value}` or `{"base64": text}`, `scenario` is the
    purpose of a coverage case.
    """
    drawn = max(LEAST_DRAWN, most // DRAWN_SHARE)
    kinds = [
        kind
        for operation in operations()
        for kind in (*_covered(operation), *_fuzzed(operation, seed, drawn))
        if kind
    ]
    return _mixed(kinds, random.Random(seed))[:most]  # noqa: S311 - repeatable on purpose


def _covered(operation: Operation) -> list[list[Told]]:
    """One list for each mode; each case omits the fields with the most frequent value.

    Otherwise nearly all cases have every field, and a server that lacks one of thirty refuses them all.
    """
    kinds = [[_told(operation, case, mode) for case in covered(operation, mode)] for mode in MODES]
    kept = KEPT | (required(operation.path) if operation.path in requests() else frozenset())
    usual = _usual([case for kind in kinds for case in kind], kept)
    return [[_thinned(case, usual) for case in kind] for kind in kinds]


def _usual(cases: list[Told], kept: frozenset[str]) -> dict[str, str]:
    """The most frequent value of each field, as JSON, except those that are kept."""
    counts: dict[str, Counter[str]] = {}
    for case in cases:
        for name, value in _fields(case).items():
            counts.setdefault(name, Counter())[canonical(value)] += 1
    return {name: count.most_common(1)[0][0] for name, count in counts.items() if name not in kept}


def _thinned(case: Told, usual: dict[str, str]) -> Told:
    fields = _fields(case)
    if not fields:
        return case
    kept = {name: value for name, value in fields.items() if usual.get(name) != canonical(value)}
    return case | {"body": {"json": kept}}


def _fields(case: Told) -> dict[str, Any]:
    value = (case["body"] or {}).get("json")
    return value if isinstance(value, dict) else {}


def _fuzzed(operation: Operation, seed: int, most: int) -> list[list[Told]]:
    return [
        [_told(operation, case, mode) for case in fuzzed(operation, mode, seed=seed, most=most)]
        for mode in MODES
    ]


def operations() -> list[Operation]:
    """Every operation of the contract; the objects in its requests have no additional fields."""
    config = schemathesis.Config.from_dict({"generation": {"database": "none"}})
    schema = schemathesis.openapi.from_dict(closed(), config=config)
    return [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]


def covered(operation: Operation, mode: schemathesis.GenerationMode) -> list[Case]:
    """The cases of the coverage phase; the same in each run."""
    config = operation.schema.config.generation_for(operation=operation, phase="coverage")
    return list(
        operation.schema.iter_coverage_cases(operation, generation_modes=[mode], generation_config=config)
    )


def fuzzed(operation: Operation, mode: schemathesis.GenerationMode, *, seed: int, most: int) -> list[Case]:
    """Random cases, at most `most`; none if the mode has none (no text is invalid for some parameters)."""
    strategy = drawable(operation.as_strategy(generation_mode=mode, feedback=FeedbackSources()))
    try:
        return _drawn(strategy, seed, most)
    except Unsatisfiable:
        return []


@strategies.composite
def drawable(draw: strategies.DrawFn, strategy: SearchStrategy[Case]) -> Case:
    """Draw again if Schemathesis cannot generate a value.

    While it negates some valid schemas, Schemathesis 4.32.5 raises InvalidSchema in the middle of a draw ("Cannot
    generate an array with 1 demanded elements").
    """
    try:
        return draw(strategy)
    except InvalidSchema:
        hypothesis.reject()


def _drawn(strategy: SearchStrategy[Case], seed: int, most: int) -> list[Case]:
    found: list[Case] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        database=None,
        deadline=None,
        max_examples=most,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),  # filtering fails a draw for GET /models/{model}
    )
    @hypothesis.given(strategy)
    def draw(case: Case) -> None:
        found.append(case)

    draw()
    return found


def _told(operation: Operation, case: Case, mode: schemathesis.GenerationMode) -> Told:
    scenario = getattr(case.meta.phase.data, "scenario", None) if case.meta else None
    return {
        "operation": operation.label,
        "method": case.method,
        "model": case.path_parameters.get("model"),
        "content_type": case.headers.get("Content-Type", case.media_type),
        "body": _body(case.body),
        "positive": mode is schemathesis.GenerationMode.POSITIVE,
        "scenario": scenario,
    }


def _body(body: object) -> dict[str, Any] | None:
    if body is NOT_SET:
        return None
    if isinstance(body, bytes):
        return {"base64": base64.b64encode(body).decode()}
    return {"json": body}


def _mixed(kinds: Iterable[list[Told]], dice: random.Random) -> list[Told]:
    """All cases, each kind shuffled; smaller kinds, and those that a model answers, are sent earlier."""

    def placed() -> Iterator[tuple[float, int, Told]]:
        for number, kind in enumerate(kinds):
            dice.shuffle(kind)
            width = math.sqrt(len(kind)) * (POSITIVE_SHARE if kind[0]["positive"] else 1)
            yield from (((place + dice.random()) / width, number, case) for place, case in enumerate(kind))

    return [case for _, _, case in sorted(placed(), key=lambda entry: entry[:2])]


if __name__ == "__main__":
    main(sys.argv[1:])
