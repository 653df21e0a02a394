"""The checks, one module a concern; importing this package registers their phrases."""

from gonogo.judge.checks import (
    acceptance,
    bodies,
    choices,
    chunks,
    counts,
    framing,
    life,
    models,
    refusals,
    schema,
)

__all__ = [
    "acceptance",
    "bodies",
    "choices",
    "chunks",
    "counts",
    "framing",
    "life",
    "models",
    "refusals",
    "schema",
]
