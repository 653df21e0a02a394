"""How a gateway handles the answers of a server that does not keep the contract. No I/O.

Stages repair what has one certain meaning, one kind of mistake each. A plan says what an upstream is asked, which may
be several requests for one of a client. Quirks say which rules an upstream was seen to break.
"""
