"""Compiles request schemas to grammars in a separate process, under limits."""
