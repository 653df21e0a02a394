"""Schemas of requests are compiled to grammars here, in a process of its own, under limits."""
