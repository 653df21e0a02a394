"""gonogo: the go/no-go gauge for OpenAI-compatible endpoints."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str


def __getattr__(name: str) -> object:
    """`__version__`, read where it is asked for: the reader of metadata takes as long to load as Python itself."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version  # noqa: PLC0415 - as above

    return version("gonogo")
