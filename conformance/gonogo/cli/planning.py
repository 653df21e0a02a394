"""`gonogo check --plan`: prints the requests of a run and their cost, without sending any."""

from gonogo.cli.printing import show
from gonogo.collect.plan import Plan
from gonogo.collect.sharing import shared
from gonogo.fuzz import Fuzzing


def print_plan(asked: Plan, generated: Fuzzing | None, models: int) -> None:
    """Print one line per request, then the totals for this number of models, and the budget of fuzzing."""
    lines = [
        f"{stimulus.risk.name.lower():<9} {_cost(stimulus.tokens):>11}  {stimulus.key}"
        for stimulus in asked.stimuli
    ]
    more = "follows each batch of hostile requests to test whether the target still answers."
    if models < 2:
        lines.append(
            f"{asked.requests} requests, at most {asked.tokens} generated tokens; two more requests "
            f"open the run, and one {more}"
        )
    else:
        once = shared(asked)
        own = asked.requests - once.requests
        lines.append(
            f"{once.requests} requests once, and {own} with each of {models} models: "
            f"{once.requests + models * own} requests, at most "
            f"{once.tokens + models * (asked.tokens - once.tokens)} generated tokens; {1 + models} "
            f"more requests open the run, and one {more}"
        )
    if generated is not None:
        lines.append(f"Then --fuzz{', with each model' if models > 1 else ''}: {generated.budget}.")
    show(lines)


def _cost(tokens: int) -> str:
    return f"{tokens} tokens" if tokens else "no tokens"
