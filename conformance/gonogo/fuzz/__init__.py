"""Fuzzing: requests generated from the contract, sent within a budget."""

from gonogo.fuzz.budget import Budget
from gonogo.fuzz.campaign import Fuzzing, fuzz

__all__ = ["Budget", "Fuzzing", "fuzz"]
