"""The options of a fuzz pass."""

import click

from gonogo.errors import UsageError
from gonogo.fuzz import Budget, Fuzzing
from gonogo.fuzz.source import require_schemathesis

fuzz = click.option(
    "--fuzz", is_flag=True, help="Send generated requests too, and judge the rules of robustness and fuzz."
)
fuzz_budget = click.option(
    "--fuzz-budget",
    metavar="LIMITS",
    help="What they cost from the first on, as seconds=120,cases=1000,tokens=4000 (the default); each may be left out.",
)
fuzz_seed = click.option(
    "--fuzz-seed", metavar="N", type=click.IntRange(min=0), help="Other requests for other numbers; else 0."
)


def asked_for(*, wanted: bool, budget: str | None, seed: int | None) -> Fuzzing | None:
    """What the options ask for; None without --fuzz. Raises UsageError where they cannot be obeyed."""
    if not wanted:
        if budget is not None or seed is not None:
            raise UsageError("--fuzz-budget and --fuzz-seed are about generated requests: add --fuzz.")
        return None
    require_schemathesis()
    return Fuzzing(seed or 0, Budget.parse(budget or ""))
