"""Repairs the answers of an upstream that deviates from the contract. No I/O.

Each stage repairs one kind of mistake that has one certain meaning. A plan holds the requests to the upstream, which
may be several for one client request. Quirks are the rules that an upstream breaks by its report.
"""
