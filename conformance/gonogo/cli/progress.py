"""The progress display in a terminal: rate, time left, and the state of each section."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from gonogo.cli.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.progress import Task, TaskID

    from gonogo.collect.plan import Plan
    from gonogo.fuzz import Fuzzing
    from gonogo.rules import Scenario

ROOM = 6  # terminal lines below the table
BAR = 24  # columns


class Rate(ProgressColumn):
    """Requests a second; empty in the row of a section."""

    def render(self, task: Task) -> Text:
        """The rate of the last seconds, if known."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed and task.fields["is_whole"] else "")


class Left(TimeRemainingColumn):
    """The time left, followed by "left"; empty in the row of a section."""

    def render(self, task: Task) -> Text:
        """The time left as rich formats it, estimated from the rate so far."""
        return super().render(task).append(" left") if task.fields["is_whole"] else Text()


class Sections:
    """Progress by section: the number of rules whose requests are all answered. A stimulus counts for every rule that
    needs it.
    """

    def __init__(self, scenarios: Iterable[Scenario]) -> None:
        waiting = [(s.rule.id.partition(".")[0], {stimulus.key for stimulus in s.stimuli}) for s in scenarios]
        self._waiting: dict[str, list[tuple[str, set[str]]]] = defaultdict(list)
        for section, keys in waiting:
            for key in keys:
                self._waiting[key].append((section, keys))
        self.totals = Counter(section for section, keys in waiting if keys)

    def done(self, key: str) -> Counter[str]:
        """The number of rules in each section that this stimulus completes."""
        ready: Counter[str] = Counter()
        for section, keys in self._waiting.pop(key, ()):
            keys.discard(key)
            ready[section] += not keys
        return ready


@contextlib.contextmanager
def progress(
    asked: Plan, scenarios: Iterable[Scenario], generated: Fuzzing | None, models: int
) -> Iterator[Callable[[str], None]]:
    """A live table on stderr if it is a terminal; yields a callback for each completed stimulus."""
    console = Console(stderr=True)
    shown = Progress(
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(BAR),
        MofNCompleteColumn(),
        Rate(),
        Left(compact=True),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    sections = Sections(scenarios)
    cases = 0 if generated is None else generated.budget.cases
    with shown:
        rows = _rows(shown, sections, console.height) if models < 2 else {}
        whole = shown.add_task("requests", total=(asked.requests + cases) * max(models, 1), is_whole=True)

        def done(key: str) -> None:
            shown.advance(whole)
            for section, number in sections.done(key).items():
                if section in rows:
                    shown.advance(rows[section], number)

        yield done


def _rows(shown: Progress, sections: Sections, height: int) -> dict[str, TaskID]:
    """A row for each section, counting rules; none if the terminal has no room for them."""
    if len(sections.totals) + ROOM > height:
        return {}
    return {
        section: shown.add_task(f"[dim]{section}", total=number, is_whole=False)
        for section, number in sections.totals.items()
    }
