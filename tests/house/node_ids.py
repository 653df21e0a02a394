"""Pytest node ids: a file, then a test function or classes and a method, then optional parameters in brackets.

They are looked up in the file's syntax tree; nothing is imported.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def names_in(path: Path) -> frozenset[str]:
    """The tests that pytest can run in a file: "test_x" and "TestX::test_y"."""
    return frozenset(named(ast.parse(path.read_text()).body))


def named(body: list[ast.stmt], prefix: str = "") -> list[str]:
    """The names of the tests in a module or in a class."""
    found: list[str] = []
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            found += named(node.body, f"{prefix}{node.name}::")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            found.append(prefix + node.name)
    return found


def exists(node_id: str, root: Path = ROOT) -> bool:
    """Whether a node id names a test under `root`; parameters in brackets are ignored."""
    file, _, name = node_id.partition("[")[0].partition("::")
    path = root / file
    return path.match("test_*.py") and path.is_file() and name in names_in(path)
