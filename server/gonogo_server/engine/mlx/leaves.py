"""Imports modules of a package without the imports of the package itself.

`import mlx_lm.models.llama` first runs `mlx_lm/__init__.py`, which imports transformers with all of its names. That
takes half of the start-up time, and the Llama class needs none of it.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType


def leaves(package: str, *names: str, among: Sequence[str] = ()) -> tuple[ModuleType, ...]:
    """Import the named modules of the package without running the package's `__init__`.

    `among` lists subpackages whose `__init__` is skipped too. A later import of the package runs in full and keeps
    these modules; call `bind` after it. Do not call this while another thread imports from the package. Raises
    `ImportError` like an import.
    """
    with _stubbed((package, *(f"{package}.{name}" for name in among))):
        return tuple(import_module(f"{package}.{name}") for name in names)


def bind(package: str) -> None:
    """Set modules that were imported before their package as its attributes, as a normal import does."""
    for name, module in tuple(sys.modules.items()):
        parent, _, last = name.rpartition(".")
        if name.startswith(f"{package}.") and parent in sys.modules and last not in vars(sys.modules[parent]):
            setattr(sys.modules[parent], last, module)


@contextmanager
def _stubbed(packages: Sequence[str]) -> Iterator[None]:
    """Put empty modules in place of packages that are not imported yet, and remove them afterwards."""
    added = [name for name in packages if name not in sys.modules]
    for name in added:
        spec = find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        sys.modules[name] = module_from_spec(spec)
    try:
        yield
    finally:
        for name in added:
            sys.modules.pop(name, None)
