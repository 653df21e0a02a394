"""Schemathesis's own checks on recorded answers: `python -m gonogo.fuzz.checking`.

A line of its input is what evidence holds of an exchange. For each a line comes back: `[id, {check: complaint or
null}]`, without the checks that do not fit the case. It runs in its own process, as `gonogo.fuzz.generate` does. The
meaning of a case was decided when it was sent, not by Schemathesis: for an invalid request only the form of the refusal
is checked, and the rules `robustness.*` check whether it was refused.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx2
import schemathesis

from gonogo.exchange_json import from_json
from gonogo.fuzz.contract import described
from gonogo.fuzz.inside import FailureGroup, Ok, check_named, probing_methods
from gonogo.stimuli.fuzzed import Meant, case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gonogo.exchange import Exchange
    from gonogo.stimuli.fuzzed import Case

Operation = schemathesis.APIOperation[Any, Any, Any, Any]

OF_HEADERS = ("response_headers_conformance",)
OF_ANSWERS = ("status_code_conformance", "content_type_conformance")
OF_BODIES = ("response_schema_conformance",)
"""For answers that are no streams: a stream is whole or not by more than its schema (`robustness.stream`)."""
OF_METHODS = ("unsupported_method",)

OTHERS_MATTER = frozenset({401, 403, 429, 501, 503})
"""What a key, a load, or a server that knows the method nowhere (RFC 9110 section 15.6.2) makes of any request: of such
answers the headers alone are looked at."""
CODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Fields that speak of the body as it was sent, where evidence has it decoded."""


def main() -> None:
    """Print the results of the checks for each exchange."""
    known = operations()
    for line in sys.stdin:
        exchange = from_json(json.loads(line))
        sys.stdout.write(json.dumps([exchange.id, opinions(exchange, known)]) + "\n")


def operations() -> Mapping[str, Operation]:
    """The operations of the contract by their path; each path has one."""
    config = schemathesis.Config.from_dict({"generation": {"database": "none"}})
    schema = schemathesis.openapi.from_dict(described(), config=config)
    found = (result.ok() for result in schema.get_all_operations() if isinstance(result, Ok))
    return {operation.path: operation for operation in found}


def opinions(exchange: Exchange, known: Mapping[str, Operation]) -> dict[str, str | None]:
    """The result of each check that applies to an exchange; empty if it is no case, or was not answered whole."""
    what = case(exchange.stimulus)
    if what is None or exchange.status is None or exchange.failure is not None:
        return {}
    operation = known[what.operation.partition(" ")[2]]
    places = {"model": "any"} if "{model}" in operation.path else {}
    meta = probing_methods(schemathesis.GenerationMode.NEGATIVE) if what.meant is Meant.METHOD else None
    method: Any = exchange.request.method
    told = operation.Case(method=method, path_parameters=places, _meta=meta)
    return {name: _complaint(name, told, _response(exchange)) for name in fitting(exchange, what)}


def fitting(exchange: Exchange, what: Case) -> Iterator[str]:
    """The names of the checks that apply to a case and its answer.

    A missing operation answers 404, which another rule reports, as well as invalid requests that are accepted.
    """
    status = exchange.status or 0
    if what.meant is Meant.METHOD:
        yield from OF_METHODS if status not in (404, *OTHERS_MATTER) else ()
        return
    if not _is_date(exchange.header("retry-after")):
        yield from OF_HEADERS
    if (
        status in OTHERS_MATTER
        or (what.meant is Meant.INVALID and status < 300)
        or (status == 404 and what.operation == "GET /models")
    ):
        return
    yield from OF_ANSWERS
    if not exchange.is_stream:
        yield from OF_BODIES


def _is_date(value: str | None) -> bool:
    """Whether a Retry-After is a date, which RFC 9110 section 10.2.3 allows; the contract has only seconds."""
    try:
        return value is not None and bool(parsedate_to_datetime(value))
    except ValueError:
        return False


def _complaint(name: str, told: schemathesis.Case[Any], response: httpx2.Response) -> str | None:
    try:
        told.validate_response(response, checks=[check_named(name)])
    except FailureGroup as group:
        first = group.exceptions[0]
        return f"{first.title}: {' '.join(first.message.split())}"
    return None


def _response(exchange: Exchange) -> httpx2.Response:
    """The recorded answer as a response object of Schemathesis."""
    request = httpx2.Request(exchange.request.method, f"http://target.invalid{exchange.request.path}")
    headers = [(name, value) for name, value in exchange.headers if name.lower() not in CODED]
    response = httpx2.Response(exchange.status or 0, headers=headers, content=exchange.body, request=request)
    response.elapsed = timedelta(seconds=exchange.seconds)
    return response


if __name__ == "__main__":
    main()
