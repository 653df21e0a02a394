"""Defects of refusals: the form of errors, their status, and invalid requests that are accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import kinds, responses
from gonogo.judge.causes.diagnosis import Diagnosis, Sighting, among, broken, of_judgements
from gonogo.judge.causes.observations import body, fits, quoted, succeeded

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.judge.causes.observations import Observations
    from gonogo.verdict import Judgement

FORM_OF_ERRORS = ("errors.envelope.*", "errors.detail.*", "clients.*")
"""Rules about the form of an error, which do not explain why a valid request failed."""

OF_ERRORS = (
    "errors.*",
    "messages.errors.*",
    "keys.*.envelope",
    "keys.*.code",
    "sampling.named.*",
    "sampling.refused.*",
    "robustness.envelope",
    "models.retrieve.unknown*",
    "clients.openai_python.errors",
)
OF_FORM = (
    "errors.envelope.*",
    "messages.errors.*",
    "errors.detail.*",
    "errors.context.code",
    "keys.*.envelope",
    "keys.*.code",
    "sampling.named.*",
    "robustness.envelope",
    "clients.openai_python.errors",
)
"""Rules about the content of an error body."""

REFUSALS = ("*.refused.*", "errors.refused.*")
TOO_MANY = 6
"""The minimum number of accepted invalid requests of different kinds for a server that validates nothing."""
SERVER_ERRORS = 3
FEWEST_FAILED = 2
ORDINARY = frozenset(
    {"model", "messages", "prompt", "input", "stream", "stream_options"}
    | {"max_tokens", "max_completion_tokens", "temperature"}
)
"""Fields of most requests, which are not a parameter that makes requests fail."""
FEWEST, MOST_OF = 3, 0.9
"""The minimum number of accepted requests of an operation, and the minimum share of those without a stream."""


def _empty_answers(observed: Observations) -> Sighting | None:
    """Nearly all accepted requests of an operation have an answer that is not of its kind."""
    seen = None
    where: list[str] = []
    for path in kinds.NAMES:
        asked = [exchange for exchange in observed.accepted if exchange.request.path == path]
        empty = [exchange for exchange in asked if not kinds.of_its_kind(exchange)]
        if len(empty) < FEWEST or len(empty) < MOST_OF * len([e for e in asked if not e.is_stream]):
            continue
        where += [exchange.id for exchange in empty]
        if seen is None:
            shown = empty[0].body[:60].decode("utf-8", "backslashreplace")
            seen = f"{len(empty)} of {len(asked)} requests are answered with {empty[0].status} and {quoted(shown)}"
    if seen is None:
        return None
    # If no operation exists, no other accepted request has a valid answer either.
    others = [] if observed.answers else [exchange.id for exchange in observed.accepted]
    return Sighting(seen, tuple(dict.fromkeys([*where, *others])))


def _errors_as_200(observed: Observations) -> Sighting | None:
    def is_error(exchange: Exchange) -> str | None:
        error = body(exchange).get("error") if not exchange.is_stream else None
        if exchange.request.operation == responses.PATH and kinds.of_its_kind(exchange):
            return None  # a response has such a field
        return f"status {exchange.status} and {quoted(str(error))} under error" if error else None

    return among(observed.accepted, is_error)


def _detail(observed: Observations) -> Sighting | None:
    def is_detail(exchange: Exchange) -> str | None:
        fields = body(exchange)
        if "detail" not in fields or "error" in fields:
            return None
        return f'status {exchange.status} and "detail" in place of "error"'

    return among(observed.refused, is_detail)


def _no_json(observed: Observations) -> Sighting | None:
    """Refusals have a body of text or HTML, or no body."""

    def is_text(exchange: Exchange) -> str | None:
        if body(exchange):
            return None
        shown = exchange.body[:60].decode("utf-8", "backslashreplace")
        kind = exchange.media_type or "no content type"
        return (
            f"status {exchange.status} with {kind}: {quoted(shown)}"
            if shown
            else f"status {exchange.status} without a body"
        )

    known = [exchange for exchange in observed.refused if exchange.request.operation in kinds.NAMES]
    if among((e for e in known if e.request.method == "POST"), is_text) is None:
        return None
    return among([*known, *observed.refused], is_text)


def _string_error(observed: Observations) -> Sighting | None:
    def is_string(exchange: Exchange) -> str | None:
        error = body(exchange).get("error")
        return f'"error" is the string {quoted(error)}' if isinstance(error, str) else None

    return among(observed.refused, is_string)


def _top_level(observed: Observations) -> Sighting | None:
    def is_flat(exchange: Exchange) -> str | None:
        fields = body(exchange)
        return (
            '"message" at the top level, and no "error"'
            if "message" in fields and "error" not in fields
            else None
        )

    return among(observed.refused, is_flat)


def _evidence_has(
    status: Callable[[int], bool], least: int, *patterns: str
) -> Callable[[Observations], Sighting | None]:
    """Recognise a fault by `least` unexplained broken rules whose exchanges have such a status."""

    def look(observed: Observations) -> Sighting | None:
        def has(judgement: Judgement) -> bool:
            found = [observed.exchanges.get(piece.exchange) for piece in judgement.evidence]
            return any(e is not None and e.status is not None and status(e.status) for e in found)

        judgements = [judgement for judgement in observed.unexplained(*patterns) if has(judgement)]
        if len({piece.exchange for j in judgements for piece in j.evidence}) < least:
            return None
        sighting = of_judgements(judgements)
        seen = sighting.seen
        if len(judgements) > 1:
            seen = f"{seen} (the first of {len(judgements)})"
        there = [e.id for e in observed.exchanges.values() if e.status is not None and status(e.status)]
        shown = [name for name in sighting.exchanges if name in there]
        return Sighting(seen, tuple(dict.fromkeys([*shown, *there])), sighting.at, sighting.lead)

    return look


def _crashes(observed: Observations) -> Sighting | None:
    """Valid requests fail with a server error that no cause explains; the form of the errors is not an explanation."""
    told = [j for j in observed.broken("*") if j.rule.id in observed.explained]
    why = [judgement for judgement in told if not fits(judgement.rule.id, FORM_OF_ERRORS)]
    known = {piece.exchange for judgement in why for piece in judgement.evidence}
    for judgement in observed.unexplained("http.no_server_error"):
        left = [piece.exchange for piece in judgement.evidence if piece.exchange not in known]
        if len(left) > 1:
            return Sighting(judgement.actual or "", tuple(left), lead=judgement.rule.id)
    return None


def _code(observed: Observations) -> Sighting | None:
    """Errors have no code, or one that is neither a string nor null."""

    def is_wrong(exchange: Exchange) -> str | None:
        error = body(exchange).get("error")
        if not isinstance(error, dict) or isinstance(error.get("code", 0), str | None):
            return None
        return f"code is {error['code']!r}" if "code" in error else "code is missing"

    return among(observed.refused, is_wrong) if observed.broken("errors.envelope.code") else None


def _without_param(observed: Observations, judgement: Judgement) -> bool:
    """The error has no param, or one that is not a string."""
    error = body(observed.shown(judgement)).get("error")
    return isinstance(error, dict) and not isinstance(error.get("param"), str)


_FAILS = _evidence_has(lambda status: status >= 500, SERVER_ERRORS, "*.harmless*", "*.harmless.*", *REFUSALS)
_OTHER_STATUS = _evidence_has(
    lambda status: status in range(402, 500) and status not in {403, 422}, 2, "errors.status.*"
)
_UNPROCESSABLE = _evidence_has(
    lambda status: status == 422, 1, "errors.status.*", "*.status", "sampling.named.*"
)


def _one_parameter(observed: Observations) -> Sighting | None:
    """Every request with a parameter fails with a server error, including a valid one; requests without it do not."""
    valid = {
        piece.exchange
        for j in observed.broken("http.no_server_error", "http.complete")
        for piece in j.evidence
    }
    found = {
        name: requests
        for name, requests in _by_parameter(observed).items()
        if len(requests) >= FEWEST_FAILED
        and all(_fails(e) for e in requests)
        and any(e.id in valid for e in requests)
    }
    if not found:
        return None
    # If several parameters qualify, choose the one that most requests have.
    name, requests = max(found.items(), key=lambda item: len(item[1]))
    seen = f"all {len(requests)} requests with {name} fail, even valid ones: status {requests[0].status}"
    shown = sorted(requests, key=lambda e: e.id not in valid)
    return Sighting(seen, tuple(e.id for e in shown))


def _by_parameter(observed: Observations) -> dict[str, list[Exchange]]:
    """The requests with each parameter, if others of the same operation without it are accepted."""
    served = {e.request.operation for e in observed.accepted}
    found: dict[str, list[Exchange]] = {}
    for exchange in observed.exchanges.values():
        fields = exchange.request.fields
        if exchange.request.operation not in served:
            continue
        for name in fields.keys() - ORDINARY:
            value = fields[name]
            kind = value.get("type") if name == "response_format" and isinstance(value, dict) else None
            if value is not None:
                found.setdefault(f"{name} {kind}" if kind else name, []).append(exchange)
    return found


def _fails(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status >= 500 and exchange.status not in {501, 503}


EMPTY = (
    Diagnosis(
        "empty-answers",
        "Answers do not belong to their operation",
        "every client: the answer contains nothing to read",
        ("*",),
        _empty_answers,
    ),
)

PARAMETER = (
    Diagnosis(
        "parameter-fails",
        "Every request with one parameter causes a server error",
        "every caller that sends it, validly or not; the official clients send such a request three times",
        ("*",),
        _one_parameter,
    ),
)

FORMS = (
    Diagnosis(
        "errors-as-200",
        "Errors have status 200",
        "clients raise by status and read the error as an answer",
        (*OF_ERRORS, *REFUSALS, "*.previous.*", "*.response.*", "chat.request.*", "http.*", "clients.*"),
        _errors_as_200,
    ),
    Diagnosis(
        "detail",
        'Errors are sent as "detail" instead of an error object',
        "openai-node loses the text (“status code (no body)”); code and param are lost everywhere",
        (*OF_ERRORS, "*.status.*"),
        _detail,
    ),
    Diagnosis(
        "server-errors-for-wrong-types",
        "Invalid requests cause a server error",
        "clients retry requests that cannot succeed: the official ones send a request with 5xx three times",
        (*OF_ERRORS, "*.harmless.*", "*.harmless", "*.refused.*", "robustness.*"),
        _FAILS,
    ),
    Diagnosis(
        "error-string",
        "The error is a string, not an object",
        "clients read error.message, error.type and error.code",
        OF_FORM,
        _string_error,
    ),
    Diagnosis(
        "error-at-top-level",
        "The fields of an error are at the top level of the body",
        "openai-node loses the text (“status code (no body)”)",
        OF_FORM,
        _top_level,
    ),
    Diagnosis(
        "errors-not-json",
        "Errors are not JSON",
        "clients cannot read message, type, code or param",
        OF_FORM,
        _no_json,
    ),
)

VALUES = (
    Diagnosis(
        "not-validated",
        "Parameters are not validated",
        "an error in a request goes unnoticed, and the answer is not what was requested",
        (
            *REFUSALS,
            "errors.status.*",
            "errors.context.whole",
            "robustness.invalid_refused",
            "tools.functions.not_ignored",
        ),
        _evidence_has(lambda status: status < 400, TOO_MANY, *REFUSALS),
    ),
    Diagnosis(
        "unprocessable",
        "Invalid requests are refused with 422 instead of 400",
        "clients raise UnprocessableEntityError, not BadRequestError",
        ("errors.status.*", "*.status", "sampling.named.*"),
        _UNPROCESSABLE,
    ),
    Diagnosis(
        "wrong-status",
        "Invalid requests are refused with a status other than 400",
        "clients raise another error than BadRequestError, and read a 404 as a missing model",
        ("errors.status.*", "*.status", "sampling.named.*", "chat.request.picture"),
        _OTHER_STATUS,
    ),
    Diagnosis(
        "param-missing",
        "Errors do not name the parameter",
        "agents cannot drop the refused parameter and retry",
        ("errors.envelope.param", "errors.detail.param", "sampling.named.*", "responses.*.param"),
        broken(
            "errors.envelope.param",
            "errors.detail.param",
            "sampling.named.*",
            "responses.*.param",
            least=2,
            found=_without_param,
        ),
    ),
    Diagnosis(
        "code-wrong",
        "The code of errors is missing or not a string",
        "agents branch on the code: model_not_found, context_length_exceeded",
        ("errors.envelope.code", "errors.detail.code", "errors.context.code", "keys.wrong.code"),
        _code,
    ),
    Diagnosis(
        "model-ignored",
        "Any model name is accepted",
        "a misspelt model name goes unnoticed",
        (
            "errors.refused.unknown_model",
            "messages.errors.unknown_model*",
            "errors.status.unknown_model",
            "errors.detail.code",
            "models.retrieve.unknown*",
        ),
        broken(
            "errors.refused.unknown_model",
            "messages.errors.unknown_model",
            found=lambda observed, j: succeeded(observed.shown(j)),
        ),
    ),
)

CRASHES = (
    Diagnosis(
        "server-errors-for-valid-requests",
        "Valid requests cause a server error",
        "clients retry requests that cannot succeed: the official ones send a request with 5xx three times",
        ("http.no_server_error", "*.request.*", "*.history.*", "*.accepted.*", "*.results"),
        _crashes,
    ),
)
