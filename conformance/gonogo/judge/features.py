"""The features that a request uses, to distinguish a missing feature from a defect."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import gonogo_contract

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COUNTS = {"n", "best_of", "logprobs", "top_logprobs"}
OPTIONS = {"stream_options", "response_format"}


def features(body: Mapping[str, object], component: str) -> frozenset[str]:
    """The features of a body of this component, each as a string: "n=2", "stop: list".

    A value without effect and one with an effect are different features; each value of an enumeration is a feature.
    """
    return frozenset(_named(body, component, ""))


def _named(value: Mapping[str, object], component: str, prefix: str) -> Iterator[str]:
    neutral = {} if prefix else _defaults(component)
    for name, field in value.items():
        if field is None or name == "messages":
            continue
        if name in OPTIONS and isinstance(field, dict):
            yield from _named(field, component, f"{name}.")
        elif (
            isinstance(field, bool)
            or field == neutral.get(name)
            or (isinstance(field, int | str) and (name in COUNTS or name in _few(component)))
        ):
            yield f"{prefix}{name}={field}"
        else:
            kind = "number" if isinstance(field, int | float) else type(field).__name__
            yield f"{prefix}{name}: {kind}"


@functools.cache
def _few(component: str) -> frozenset[str]:
    """The enumerated fields, of which a server may support only some values."""
    found = _properties(component).items()
    return frozenset(
        name for name, field in found if any("enum" in one for one in (field, *field.get("anyOf", ())))
    )


@functools.cache
def _defaults(component: str) -> dict[str, object]:
    return {name: field["default"] for name, field in _properties(component).items() if "default" in field}


def _properties(component: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = gonogo_contract.document()["components"]["schemas"][component][
        "properties"
    ]
    return found
