"""Causes: one defect of a target, behind all findings that follow from it."""

from gonogo.judge.causes.grouping import explain

__all__ = ["explain"]
