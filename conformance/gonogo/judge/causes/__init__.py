"""Causes: defects of a target that each explain several findings."""

from gonogo.judge.causes.grouping import explain

__all__ = ["explain"]
