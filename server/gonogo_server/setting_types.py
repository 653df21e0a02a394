"""The types of settings: sizes, times, names, and switches, as given in options, variables and files."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, ByteSize, Field
from pydantic_settings import NoDecode

SWITCH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _switch_or_names(value: object) -> object:
    return SWITCH.get(value.lower(), _split(value)) if isinstance(value, str) else value


def _none_if_no(value: object) -> object:
    return None if isinstance(value, str) and value.lower() == "no" else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Several names, separated by commas in a variable."""

SwitchOrNames = Annotated[bool | tuple[str, ...], NoDecode, BeforeValidator(_switch_or_names)]
"""All (true), none (false), or the named ones."""

Bytes = Annotated[ByteSize, Field(ge=0)]
"""A number of bytes, or a text such as 512MiB or 2GB."""

SomeBytes = Annotated[ByteSize, Field(ge=1)]
"""As `Bytes`, at least one."""

Count = Annotated[int, Field(ge=1)]

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]

Wait = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Seconds, at least 0."""

WaitOrNo = Annotated[Wait | None, BeforeValidator(_none_if_no)]
"""As `Wait`; `no` means None."""
