"""Causes: what is wrong with a target once, behind the findings that follow from it."""

from gonogo.judge.causes.grouping import explain

__all__ = ["explain"]
