"""Imports modules of a package without the imports of the package itself.

`import mlx_lm.models.llama` runs `mlx_lm/__init__.py` first, which imports transformers, and that all of its own names:
together half of the time of a start, for a class that needs none of it.
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
    """The modules of these names in the package, and no more of it.

    `among` are packages within that are passed through in the same way. Whoever imports the package later gets all of
    it, with these modules in it; `bind` it then. To be called while no other thread imports of it. Raises
    `ImportError` as an import does.
    """
    with _passing((package, *(f"{package}.{name}" for name in among))):
        return tuple(import_module(f"{package}.{name}") for name in names)


def bind(package: str) -> None:
    """Let modules that were imported before their package be its attributes, as they are after any import."""
    for name, module in tuple(sys.modules.items()):
        parent, _, last = name.rpartition(".")
        if name.startswith(f"{package}.") and parent in sys.modules and last not in vars(sys.modules[parent]):
            setattr(sys.modules[parent], last, module)


@contextmanager
def _passing(packages: Sequence[str]) -> Iterator[None]:
    """Packages that are not imported yet stand there empty, and are gone afterwards; their modules stay."""
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
