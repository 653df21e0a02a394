"""Filters for generated text: visible content, tool calls, reasoning, and stop strings.

Text comes in pieces of any size and is passed on as soon as its kind is certain. No I/O, no engine, no clock.
"""
