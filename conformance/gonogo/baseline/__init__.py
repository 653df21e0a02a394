"""The baseline: which broken rules a team accepts, why, and until when.

`file` reads and writes the list, `waiving` applies it to judgements; neither reads the clock.
"""

from gonogo.baseline.file import Baseline, Entry, read
from gonogo.baseline.waiving import Kind, Problem, updated, waive

__all__ = ["Baseline", "Entry", "Kind", "Problem", "read", "updated", "waive"]
