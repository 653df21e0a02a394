"""Replicas on Ray Serve: `gonogo serve --replicas 2`, and `serve run gonogo_server.replicas:app` on a Ray cluster.

The only package that imports Ray, which the extra `ray` installs; `deployment`, `cluster` and `machine` need it.
"""

from typing import Any


def app(args: dict[str, Any]) -> object:
    """The application for Ray Serve on a cluster; see `cluster.application`."""
    from gonogo_server.replicas.cluster import application  # noqa: PLC0415 - the other modules work without Ray

    return application(args)
