"""Parses bytes to a request that matches the contract, by the contract's own schemas."""

from __future__ import annotations

import functools
import json
from typing import Any, NoReturn

import gonogo_contract
import jsonschema_rs
from ideal.refusal import Refusal

LARGEST_BODY = 8_000_000
"""Bytes."""


def admit(component: str, data: bytes, *, closed: bool = True) -> dict[str, Any]:
    """The body as an object that matches the component, without nulls. Raises Refusal if it does not.

    With `closed` false it may have fields that the component does not name.
    """
    if len(data) > LARGEST_BODY:
        raise Refusal(f"The body has more than {LARGEST_BODY} bytes.", status=413)
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # fails for a lone surrogate
    except (ValueError, RecursionError) as error:
        raise Refusal(f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Refusal("The body must be a JSON object.")
    if misfit := next(_validator(component).iter_errors(value), None):
        raise Refusal(f"{misfit.message}.", param=_param(misfit), code="invalid_value")
    if closed and (unknown := [name for name in value if name not in _fields(component)]):
        raise Refusal(f"There is no parameter {unknown[0]}.", param=unknown[0], code="unknown_parameter")
    return {name: field for name, field in value.items() if field is not None or name == "prompt"}


@functools.cache
def _validator(component: str) -> Any:  # noqa: ANN401 - jsonschema-rs has one validator class per draft
    return jsonschema_rs.validator_for(gonogo_contract.component_schema(component))


@functools.cache
def _fields(component: str) -> frozenset[str]:
    schemas = gonogo_contract.component_schema(component)["components"]["schemas"]
    return frozenset(schemas[component]["properties"])


def _param(error: Any) -> str | None:  # noqa: ANN401 - jsonschema-rs' error
    """The path of the wrong field: "messages[0].content"."""
    path = list(error.instance_path)
    if error.kind.name == "required":
        path.append(error.kind.property)
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or None


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
