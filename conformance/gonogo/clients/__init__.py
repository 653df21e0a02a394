"""Client lanes: recorded answers are replayed to the clients that applications use.

Nothing is sent: a client gets the recorded bytes from an in-memory transport, in the recorded chunks. The clients in
Python are an extra ("gonogo[clients]"), imported only to replay answers: when the first outcome is requested
(`replaying`), or in a second process (`beside`). The clients for Node run in a Node process (`nodejs`) if a folder with
them is given.
"""
