"""The exceptions of the suite, and the exit code each one leads to.

* GonogoError: the harness could not do its work; one sentence for the person at the terminal (exit 2)
    * UsageError: an option or argument that cannot be obeyed
    * TargetError: the target was never there, or is not what it should be
    * FeatureError: a feature file is malformed; always a bug in gonogo
    * EvidenceError: a stored record that cannot be read
"""

from __future__ import annotations


class GonogoError(Exception):
    """The harness could not do its work; the message says what to do, in one sentence."""


class UsageError(GonogoError):
    """An option or argument cannot be obeyed."""


class TargetError(GonogoError):
    """The target cannot be judged at all: not there, not an API, or the key is wrong."""


class FeatureError(GonogoError):
    """A feature file of ours is malformed; the message names file and line."""


class EvidenceError(GonogoError):
    """A stored record cannot be read."""
