"""gonogo: the go/no-go gauge for OpenAI-compatible endpoints."""

from importlib.metadata import version

__version__ = version("gonogo")
