"""Causes: one defect of a target that explains several findings."""

from gonogo.judge.causes.grouping import explain

__all__ = ["explain"]
