"""Readers of generated text: what is shown of it, what is a call, what is reasoning, what stops it.

Text comes in pieces of any size and goes out as soon as it is decided. No I/O, no engine, no clock.
"""
