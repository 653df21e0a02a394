"""Collecting: the only part of the suite that talks to a target."""
