"""The suite's own upstream, which runs behind the checked gateway and plays upstream faults."""

from gonogo.upstream.behind import Behind, Standing, standing

__all__ = ["Behind", "Standing", "standing"]
