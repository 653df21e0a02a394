"""Filters for generated text: visible content, tool calls, reasoning, and stop strings.

Text comes in pieces of any size and goes out as soon as it is decided. No I/O, no engine, no clock.
"""
