"""Replicas on Ray Serve: `gonogo serve --replicas 2`, and `serve run gonogo_server.replicas:app` on a Ray cluster.

The only package that knows Ray, which the extra `ray` installs; `deployment`, `cluster` and `machine` import it.
"""

from typing import Any


def app(args: dict[str, Any]) -> object:
    """What Ray Serve is to run on a cluster; see `cluster.application`."""
    from gonogo_server.replicas.cluster import application  # noqa: PLC0415 - the other modules do without Ray

    return application(args)
