"""Fuzzing: requests that nobody thought of, made from the contract, and sent within a budget."""

from gonogo.fuzz.budget import Budget
from gonogo.fuzz.campaign import Fuzzing, fuzz

__all__ = ["Budget", "Fuzzing", "fuzz"]
