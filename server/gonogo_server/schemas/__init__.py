"""Schemas of clients: measured, searched for dead ends, made rules of a grammar; `compilation` tries them. No I/O."""
