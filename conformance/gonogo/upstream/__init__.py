"""The suite's own upstream: it stands behind the gateway that is checked, and plays what an upstream may do wrong."""

from gonogo.upstream.behind import Behind, Standing, standing

__all__ = ["Behind", "Standing", "standing"]
