"""The options of a fuzz pass."""

from typing import Annotated

import typer

from gonogo.errors import UsageError
from gonogo.fuzz import Budget, Fuzzing
from gonogo.fuzz.source import require_schemathesis

Fuzz = Annotated[
    bool, typer.Option("--fuzz", help="Send generated requests too, and judge the rules of robustness.")
]
FuzzBudget = Annotated[
    str | None,
    typer.Option(
        "--fuzz-budget",
        metavar="LIMITS",
        help="What they may cost, as seconds=120,cases=1000,tokens=4000 (the default); each may be left out.",
    ),
]
FuzzSeed = Annotated[
    int | None,
    typer.Option("--fuzz-seed", metavar="N", min=0, help="Other requests for other numbers; else 0."),
]


def fuzzing(*, wanted: bool, budget: str | None, seed: int | None) -> Fuzzing | None:
    """What the options ask for; None without --fuzz. Raises UsageError where they cannot be obeyed."""
    if not wanted:
        if budget is not None or seed is not None:
            raise UsageError("--fuzz-budget and --fuzz-seed are about generated requests: add --fuzz.")
        return None
    require_schemathesis()
    return Fuzzing(seed or 0, Budget.parse(budget or ""))
