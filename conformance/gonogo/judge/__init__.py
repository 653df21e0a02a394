"""The judge: a pure function from recorded exchanges to verdicts."""

from gonogo.judge.judging import bind, judge, judge_checks

__all__ = ["bind", "judge", "judge_checks"]
