"""Responses and Messages: two more forms of a chat request and of the same answer. No I/O.

A request becomes one for a chat completion (`asking` of each surface), so that whatever answers those answers these.
The steps of the answer become blocks (`blocks`), and these the events and the whole object of each surface (`telling`).
"""
