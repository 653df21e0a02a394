"""The number of replicas: `2`, or `1-4` to scale with the load."""

from __future__ import annotations

import re
from typing import Annotated, Final, NamedTuple

from pydantic import PlainSerializer, PlainValidator
from pydantic_settings import NoDecode

FORM: Final = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")


class Replicas(NamedTuple):
    """The minimum and maximum number of replicas; both at least 1."""

    least: int = 1
    most: int = 1


def counted(value: object) -> Replicas:
    """Replicas in the form of options, variables and files. Raises `ValueError`."""
    if isinstance(value, Replicas):
        return value
    found = None if isinstance(value, bool) else FORM.fullmatch(str(value).strip())
    if found is None:
        raise ValueError("give a number of replicas such as 2, or a range such as 1-4")
    least = int(found[1])
    most = int(found[2] or least)
    if not 1 <= least <= most:
        raise ValueError("the minimum is 1 replica, and a range ends with its larger number, such as 1-4")
    return Replicas(least, most)


def written(replicas: Replicas) -> str:
    """The text form that `counted` reads."""
    return str(replicas.least) if replicas.least == replicas.most else f"{replicas.least}-{replicas.most}"


NumberOfReplicas = Annotated[
    Replicas, NoDecode, PlainValidator(counted), PlainSerializer(written, return_type=str)
]
