"""`gonogo faults`: lists the faults that the reference server can imitate."""

from collections.abc import Iterable, Iterator

import click

from gonogo.cli.printing import show
from gonogo.errors import UsageError
from gonogo.faults.playing import Playable, playable
from gonogo.rules import load


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", help="Ids of rules or groups.")
def faults(*, ids: tuple[str, ...]) -> None:
    """List the faults for `gonogo serve --fault`: name, imitated behaviour, and the rules that catch it."""
    every = playable()
    chosen = (
        list(_finding(every, {s.rule.id for s in load(fuzz=True, node=True, gateway=True).select(ids)}))
        if ids
        else every
    )
    if not chosen:
        raise UsageError(f"No fault breaks {' or '.join(ids)}; `gonogo faults` lists all faults.")
    show([*(line for fault in chosen for line in _lines(fault)), _count(chosen)])


def _finding(every: Iterable[Playable], rules: set[str]) -> Iterator[Playable]:
    return (fault for fault in every if not fault.rules.isdisjoint(rules))


def _lines(fault: Playable) -> Iterator[str]:
    yield fault.name
    yield f"  imitates: {fault.imitates}"
    if fault.rules:
        yield f"  rules:    {', '.join(sorted(fault.rules))}"
    if fault.unplayable:
        yield f"  not playable: {fault.unplayable}"
    if fault.otherwise:
        yield f"  on the wire: {fault.otherwise}"


def _count(chosen: Iterable[Playable]) -> str:
    number = sum(1 for _ in chosen)
    return f"{number} fault{'s' if number != 1 else ''}"
