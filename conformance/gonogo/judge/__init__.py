"""Judges evidence: verdicts and their causes."""

from gonogo.judge.causes import explain
from gonogo.judge.judging import bind, judge

__all__ = ["bind", "explain", "judge"]
