"""The commands as `gonogo --help` lists them; the module of each is imported when it is run."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from gonogo.clients.ahead import end_unused, start_ahead


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: the module of `gonogo.cli` that holds it under its name, and its first sentence.

    One that `replays` has the process of the clients started before its module is imported, so that they are imported
    side by side.
    """

    module: str
    summary: str
    replays: bool = False


COMMANDS = {
    "check": Entry(
        "check", "Ask an endpoint everything the rules look at, and say go or no-go.", replays=True
    ),
    "init": Entry("init", "Write a commented gonogo.toml, which gonogo check reads."),
    "judge": Entry("judge", "Judge stored evidence by the rules of this version; nothing is sent."),
    "diff": Entry(
        "diff",
        "Say what got worse, better, appeared or went away; exit status 1 where something got worse.",
    ),
    "matrix": Entry("matrix", "Show several reports side by side: servers by groups and rules."),
    "badge": Entry("matrix", "Print a badge as SVG: the verdict of a report, or of a profile in it."),
    "rules": Entry("rules", "List the rules by group: id, level, title."),
    "explain": Entry(
        "rules",
        "Say what a rule asks, where that stands, who breaks without it, how it is checked, and show examples.",
    ),
    "faults": Entry(
        "faults",
        "List the faults that `gonogo serve --fault` plays: name, whom it imitates, the rules that find it.",
    ),
    "serve": Entry("serve", "Serve models on this machine; gonogo serve --help says how."),
}


ALONE = frozenset({"--help", "--plan", "--only", "--skip", "--discover", "--profile"})
"""Options with which the clients may have nothing to read."""


class Deferred(click.Command):
    """A command of which only the name and the first sentence are known until it is run."""

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name)
        self.entry = entry

    def loaded(self) -> click.Command:
        """The command itself, with its options; its module is imported."""
        command: click.Command = getattr(import_module(f"gonogo.cli.{self.entry.module}"), self.name or "")
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's, handed on
    ) -> click.Context:
        """The context of the command itself, which is what runs."""
        if self.entry.replays and ALONE.isdisjoint(args):
            start_ahead()
            if parent is not None:
                parent.call_on_close(end_unused)
        return self.loaded().make_context(info_name, args, parent, **extra)

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002 - the help wraps lines by itself
        """The first sentence, never cut."""
        return self.entry.summary
