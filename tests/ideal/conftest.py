"""An ideal target, and a run against one."""

from __future__ import annotations

from ideal.clean import catalogue, clean

__all__ = ["catalogue", "clean"]
