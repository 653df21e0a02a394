"""The exceptions of the suite, and the exit code each one leads to.

* GonogoError: the harness could not do its work; one sentence for the person at the terminal (exit 2)
    * UsageError: an invalid option or argument
    * TargetError: the target cannot be reached, or is not an API
    * FeatureError: a feature file is malformed; always a bug of gonogo
    * EvidenceError: a stored record that cannot be read
"""

from __future__ import annotations


class GonogoError(Exception):
    """The harness could not do its work; the message is one sentence with advice."""


class UsageError(GonogoError):
    """An option or argument is invalid."""


class TargetError(GonogoError):
    """The target cannot be judged at all: unreachable, not an API, or the key is wrong."""


class FeatureError(GonogoError):
    """A feature file of ours is malformed; the message names file and line."""


class EvidenceError(GonogoError):
    """A stored record cannot be read."""
