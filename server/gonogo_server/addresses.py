"""Addresses of this machine."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

LOCAL: Final = "localhost"


def is_loopback(name: str) -> bool:
    """Whether the name is a loopback address or `localhost`."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name.lower() == LOCAL
