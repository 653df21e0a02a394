"""Responses and Messages: two more APIs on top of a chat completion. No I/O.

A request becomes one for a chat completion (`asking` of each surface), so that whatever answers those answers these.
The steps of the answer become blocks (`blocks`), and these the events and the whole object of each surface (`telling`).
"""
