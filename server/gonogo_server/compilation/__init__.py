"""Schemas of requests are compiled to grammars here, in a separate process, under limits."""
