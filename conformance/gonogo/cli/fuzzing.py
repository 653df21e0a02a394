"""The options for generated requests."""

import click

from gonogo.errors import UsageError
from gonogo.fuzz import Budget, Fuzzing
from gonogo.fuzz.source import require_schemathesis

fuzz = click.option(
    "--fuzz",
    is_flag=True,
    help="Also send generated requests and judge the rules of the groups robustness and fuzz.",
)
fuzz_budget = click.option(
    "--fuzz-budget",
    metavar="LIMITS",
    help=(
        "Limits of the generated requests. Default: seconds=120,cases=1000,tokens=4000; each part is "
        "optional."
    ),
)
fuzz_seed = click.option(
    "--fuzz-seed",
    metavar="N",
    type=click.IntRange(min=0),
    help="Seed of the generated requests. Default: 0.",
)


def asked_for(*, wanted: bool, budget: str | None, seed: int | None) -> Fuzzing | None:
    """The fuzzing that the options request; None without --fuzz. Raises UsageError for invalid options."""
    if not wanted:
        if budget is not None or seed is not None:
            raise UsageError("--fuzz-budget and --fuzz-seed need --fuzz.")
        return None
    require_schemathesis()
    return Fuzzing(seed or 0, Budget.parse(budget or ""))
