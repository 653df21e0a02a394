"""Client lanes: recorded answers are replayed to the clients that applications use.

Nothing is sent: a client gets the recorded bytes from a transport in memory, in the pieces in which they came.
The clients in Python are an extra ("gonogo[clients]"), imported where answers are replayed and nowhere else: when the
first outcome is requested (`replaying`), or in a process beside a run (`beside`). Those for Node run in a process of
Node (`nodejs`), where a folder with them is named.
"""
