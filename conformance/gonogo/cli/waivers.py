"""The baseline on the command line: read before the run, written after it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gonogo.baseline import read, updated
from gonogo.cli.output import probe
from gonogo.cli.printing import say
from gonogo.errors import UsageError
from gonogo.report.model import Report
from gonogo.rules import Catalogue
from gonogo.running import Waivers


@dataclass(frozen=True, slots=True)
class Waiving:
    """The options --baseline and --update-baseline; `waivers` is None without a baseline."""

    waivers: Waivers | None
    update: bool

    def write(self, report: Report, catalogue: Catalogue) -> None:
        """Update the baseline if requested, and print what the user has to do next.

        Raises UsageError if the file cannot be written.
        """
        if self.waivers is None or not self.update:
            return
        path = self.waivers.baseline.path
        text = updated(report.judgements, self.waivers.baseline, catalogue.ids, strict=report.strict)
        try:
            path.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise UsageError(f"Cannot write {path}: {error.strerror}.") from error
        entries = read(path, unfinished=True).entries.values()
        bare = sum(not entry.reason for entry in entries)
        todo = f", {bare} without a reason; add the reason or delete the line" if bare else ""
        say(f"{path} now has {len(entries)} {'entry' if len(entries) == 1 else 'entries'}{todo}.")


def waiving(path: Path | None, *, update: bool) -> Waiving:
    """Read the baseline for the current day (UTC). Raises UsageError if it cannot be read or the options contradict
    each other.
    """
    if path is None:
        if update:
            raise UsageError("--update-baseline needs --baseline FILE.")
        return Waiving(None, update)
    baseline = read(path, unfinished=update)
    if update:
        probe(path)
    return Waiving(Waivers(baseline, datetime.now(UTC).date()), update)
