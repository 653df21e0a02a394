"""Collects answers: the only part of the suite that sends requests to a target."""
