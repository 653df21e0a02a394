"""The judge: a pure function from recorded exchanges to verdicts."""

from gonogo.judge.judging import bind, judge

__all__ = ["bind", "judge"]
