"""gonogo: the go/no-go gauge for OpenAI-compatible endpoints.

What is imported from here stays where it is: `check` and `acheck`, the report they return, and what they raise.
"""

from importlib import import_module

_HOMES = {
    "acheck": "api",
    "check": "api",
    "Gate": "report.model",
    "Report": "report.model",
    "Cause": "verdict",
    "Judgement": "verdict",
    "Level": "verdict",
    "Rule": "verdict",
    "Verdict": "verdict",
    "EvidenceError": "errors",
    "GonogoError": "errors",
    "TargetError": "errors",
    "UsageError": "errors",
}
"""The module of each public name; `__init__.pyi` tells type checkers the same."""

__all__ = [*_HOMES]  # noqa: PLE0604 - the names are texts


def __getattr__(name: str) -> object:
    """A public name or `__version__`, imported where it is requested: the command line needs few of them."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - takes as long to import as Python itself

        return version("gonogo")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"gonogo.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES, "__version__"]
