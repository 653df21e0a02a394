"""Schemas of clients: measured, searched for dead ends, and tried in a process that may die of them."""
