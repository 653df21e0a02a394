"""Schemathesis's own checks on recorded answers: `python -m gonogo.fuzz.checking`.

Each line of its input is an exchange in the form of the evidence file. For each it prints a line: `[id, {check:
complaint or null}]`, without the checks that do not apply to the case. It runs in its own process, like
`gonogo.fuzz.generate`. Whether a case is valid was decided when it was sent, not by Schemathesis: for an invalid
request only the form of the refusal is checked; the rules `robustness.*` check whether it was refused.
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
"""Not for streams, whose schema does not show whether they are complete (`robustness.stream` checks that)."""
OF_METHODS = ("unsupported_method",)

OTHERS_MATTER = frozenset({401, 403, 429, 501, 503})
"""Statuses that do not depend on the request: a wrong key, load, or a method that the server supports nowhere (RFC 9110
section 15.6.2). Of such answers only the headers are checked."""
CODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Header fields about the encoded body; evidence has the decoded one."""


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
    """The result of each check that applies to an exchange; empty if it is not a case, or its answer is incomplete."""
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

    Other rules report a missing operation (404) and accepted invalid requests.
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
