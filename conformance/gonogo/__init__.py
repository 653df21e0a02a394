"""gonogo: the go/no-go gauge for OpenAI-compatible endpoints.

The names exported here are stable: `check` and `acheck`, the report they return, and the exceptions they raise.
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
"""The module of each public name; `__init__.pyi` has the same for type checkers."""

__all__ = [*_HOMES]  # noqa: PLE0604 - the names are texts


def __getattr__(name: str) -> object:
    """Import a public name or `__version__` on first use, because the command line needs few of them."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - takes as long to import as Python itself

        return version("gonogo")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"gonogo.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES, "__version__"]
