"""The commands that `gonogo --help` lists; the module of each is imported when it runs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from gonogo.clients.ahead import end_unused, start_ahead


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: the module of `gonogo.cli` that defines a function of that name, and its first sentence.

    If it `replays`, the process of the clients is started before the module is imported, so that both import in
    parallel.
    """

    module: str
    summary: str
    replays: bool = False


COMMANDS = {
    "check": Entry("check", "Check an endpoint against the contract and print go or no-go.", replays=True),
    "init": Entry("init", "Write a commented gonogo.toml for gonogo check."),
    "judge": Entry(
        "judge", ("Judge recorded evidence again with the rules of this version, without sending requests.")
    ),
    "diff": Entry(
        "diff",
        "Compare two reports; exit with 1 if something got worse.",
    ),
    "matrix": Entry("matrix", "Compare several reports side by side, by groups and rules."),
    "badge": Entry("matrix", "Print an SVG badge with the verdict of a report or of one profile."),
    "rules": Entry("rules", "List the rules by group, with id, level and title."),
    "explain": Entry(
        "rules",
        "Explain a rule: requirement, source, clients that break, steps, and examples.",
    ),
    "faults": Entry(
        "faults",
        (
            "List the faults for `gonogo serve --fault`: name, imitated behaviour, and the rules that "
            "catch it."
        ),
    ),
    "serve": Entry("serve", "Serve models on this machine; see gonogo serve --help."),
}


ALONE = frozenset({"--help", "--plan", "--only", "--skip", "--discover", "--profile"})
"""Options with which there may be nothing for the clients to read."""


class Deferred(click.Command):
    """A command of which only the name and the first sentence are known until it runs."""

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name)
        self.entry = entry

    def loaded(self) -> click.Command:
        """The command itself, with its options; imports its module."""
        command: click.Command = getattr(import_module(f"gonogo.cli.{self.entry.module}"), self.name or "")
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's, passed on
    ) -> click.Context:
        """The context of the command itself, which then runs."""
        if self.entry.replays and ALONE.isdisjoint(args):
            start_ahead()
            if parent is not None:
                parent.call_on_close(end_unused)
        return self.loaded().make_context(info_name, args, parent, **extra)

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002 - the help wraps lines by itself
        """The first sentence, never cut."""
        return self.entry.summary
