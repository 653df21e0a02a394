"""Kinds of defects in the answers to generated requests, and how to detect each."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gonogo_contract import request_components

from gonogo.exchange import FailureKind
from gonogo.judge import fuzz_surfaces, kinds, reading
from gonogo.judge.checks import acceptance, bodies, framing, message_requests, refusals, schema
from gonogo.judge.features import features
from gonogo.judge.fuzz_causes import Defect, cause, words
from gonogo.judge.outcome import Deviation, Kept, Stop, saw, unanswered
from gonogo.judge.shape import misfits
from gonogo.stimuli.fuzzed import Case, Meant, case
from gonogo.stimuli.stimulus import Endpoint
from gonogo.stimuli.surfaces import NO_SUCH_ROUTE, OWN_ERRORS, SURFACES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

    Look = Callable[[Exchange], Outcome]
    Looked = Iterator[tuple[Exchange, Outcome]]

UNDECIDED = {401, 403, 429}

ANSWERS: Mapping[str, str] = {
    Endpoint.CHAT: "ChatCompletion",
    Endpoint.COMPLETIONS: "Completion",
    Endpoint.EMBEDDINGS: "EmbeddingList",
    Endpoint.MODELS: "ModelList",
    Endpoint.MODEL: "Model",
}
CHUNKS: Mapping[str, str] = {Endpoint.CHAT: "ChatCompletionChunk", Endpoint.COMPLETIONS: "CompletionChunk"}
LENIENT = ["choices[].logprobs", "choices[].message.refusal"]
"""Required fields that many servers omit: separate rules report them as warnings."""


def server_errors(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Answers with 5xx."""
    return _defects(statuses(exchanges))


def dropped(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Connections that ended before the answer did."""
    return _defects(endings(exchanges))


def bad_refusals(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Answers with 4xx that are not error objects."""
    return _defects(envelopes(exchanges))


def bad_answers(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Complete answers that do not match their schema."""
    return _defects(answers(exchanges))


def bad_streams(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Streams that are missing, incomplete, or have chunks that do not match their schema."""
    return _defects(streams(exchanges))


def wrongly_accepted(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Accepted requests that break the contract; those with the same invalid fields have one cause.

    A request whose invalid fields include all of another's is not reported.
    """
    found = []
    for exchange in exchanges:
        what = case(exchange.stimulus)
        if what is not None and what.meant is Meant.INVALID and acceptance.accepted(exchange):
            wrong, fields = _wrong(exchange, what)
            deviation = Deviation("a status of 4xx", f"status {exchange.status} though {wrong}")
            found.append(
                (what.operation, fields, Defect(exchange, deviation, cause(what.operation, *sorted(fields))))
            )
    told = {(name, fields) for name, fields, _ in found}
    for name, fields, defect in found:
        if not any(name == other and fewer < fields for other, fewer in told):
            yield defect


def wrongly_refused(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Refused requests that are valid, if every feature was accepted in other valid requests."""
    valid = [exchange for exchange in exchanges if meant(exchange) is Meant.VALID]
    known: dict[str, set[str]] = {}
    for exchange in filter(acceptance.accepted, valid):
        known.setdefault(exchange.request.path, set()).update(_features(exchange))
    for exchange in valid:
        taken = known.get(exchange.request.path)
        if taken is None or not refused(exchange):
            continue
        if _features(exchange) <= taken:
            said = exchange.body[:200].decode("utf-8", "backslashreplace")
            deviation = Deviation("a status of 2xx", f"status {exchange.status}: {said}")
            yield Defect(exchange, deviation, cause(operation(exchange), exchange.status, said))


def methods_taken(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Answers to unsupported methods, other than 405 with Allow, 501 or a server error.

    One router handles all paths and methods, so that defects with the same status have one cause.
    """
    for defect in _defects(methods(exchanges)):
        yield replace(defect, cause=cause(defect.exchange.status))


LOOKS = (server_errors, dropped, bad_refusals, bad_answers, bad_streams, wrongly_accepted, wrongly_refused)
"""The kinds of defects that are worth minimising."""


def _looked(exchanges: Iterable[Exchange], meanings: Collection[Meant], look: Look) -> Looked:
    """The cases with these meanings and the result of a check on each; undecided ones are omitted."""
    for exchange in exchanges:
        if meant(exchange) in meanings:
            with suppress(Stop):
                yield exchange, look(exchange)


def _defects(looked: Looked) -> Iterator[Defect]:
    for exchange, outcome in looked:
        if isinstance(outcome, Deviation):
            yield Defect(
                exchange, outcome, cause(operation(exchange), told_by_server(exchange) or outcome.found)
            )


def right(looked: Looked) -> Iterator[Exchange]:
    """The cases that a check found correct."""
    return (exchange for exchange, outcome in looked if isinstance(outcome, Kept))


def statuses(exchanges: Iterable[Exchange]) -> Looked:
    """Every case with a status, and whether it is a server error."""
    return _looked(exchanges, tuple(Meant), acceptance.no_server_error)


def endings(exchanges: Iterable[Exchange]) -> Looked:
    """Every case that reached the target, and whether the connection lasted until the end of its answer."""
    reached = (e for e in exchanges if e.failure is None or e.failure.kind is not FailureKind.CONNECT)
    return _looked(reached, tuple(Meant), acceptance.complete)


def envelopes(exchanges: Iterable[Exchange]) -> Looked:
    """Every whole answer with 4xx, and whether it is an error object."""
    found = (exchange for exchange in exchanges if 400 <= (exchange.status or 0) < 500 and whole(exchange))
    return _looked(found, (Meant.VALID, Meant.INVALID, Meant.ODD), _refusal)


def answers(exchanges: Iterable[Exchange]) -> Looked:
    """Every accepted case without a stream, and whether the answer matches its schema."""
    plain = (exchange for exchange in exchanges if accepted(exchange) and not is_streamed(exchange))
    return _looked(plain, (Meant.VALID, Meant.ODD), _answer)


def streams(exchanges: Iterable[Exchange]) -> Looked:
    """Every accepted case with a stream, and whether it is complete and matches its schema."""
    streamed = (exchange for exchange in exchanges if accepted(exchange) and is_streamed(exchange))
    return _looked(streamed, (Meant.VALID, Meant.ODD), _stream)


def methods(exchanges: Iterable[Exchange]) -> Looked:
    """Every case of an unsupported method, and whether it is refused as such.

    A missing path supports no method, so that 404 is accepted.
    """
    known = list(exchanges)
    there = {_path(exchange) for exchange in known if exchange.status not in NO_SUCH_ROUTE}
    sent = (exchange for exchange in known if exchange.status != 404 or _path(exchange) in there)
    return _looked(sent, (Meant.METHOD,), _method)


def served(exchanges: Collection[Exchange]) -> list[Exchange]:
    """The cases without those of missing surfaces, where every answer shows that the operation is missing."""
    told: dict[str, list[int | None]] = {}
    for exchange in exchanges:
        if meant(exchange) is not Meant.METHOD:
            told.setdefault(_path(exchange), []).append(exchange.status)
    missing = {path for path in fuzz_surfaces.PATHS if fuzz_surfaces.says_missing(told.get(path, ()))}
    return [exchange for exchange in exchanges if _path(exchange) not in missing]


def told_by_server(exchange: Exchange) -> str | None:
    """The status and message of a server error; None for other answers, and without a message."""
    if (exchange.status or 0) < 500:
        return None
    with suppress(Stop):
        error = reading.answer(exchange).get("error")
        message = error.get("message") if isinstance(error, dict) else error
        return f"{exchange.status} {words(message)}" if isinstance(message, str) else None
    return None


def _all(exchange: Exchange, *looks: Look) -> Outcome:
    """The first deviation among these outcomes, else the first undecided one, else the last one."""
    found: list[Outcome] = []
    for look in looks:
        found.append(look(exchange))
        if isinstance(found[-1], Deviation):
            return found[-1]
    return next((outcome for outcome in found if not isinstance(outcome, Kept)), found[-1])


def _refusal(exchange: Exchange) -> Outcome:
    of_messages = operation(exchange) in OWN_ERRORS
    component = "MessageErrorEnvelope" if of_messages else "ErrorEnvelope"
    fits = partial(schema.refusal_field_fits, component=component)
    return _all(
        exchange,
        message_requests.envelope if of_messages else refusals.has_envelope,
        partial(fits, field="error.message"),
        partial(fits, field="error.type"),
    )


def _answer(exchange: Exchange) -> Outcome:
    what = operation(exchange)
    return _all(
        exchange,
        partial(bodies.media_type_is, media_type="application/json"),
        bodies.one_json_object,
        *fuzz_surfaces.ANSWERS.get(what, (_rest,)),
    )


def _rest(exchange: Exchange) -> Outcome:
    return schema.answer_rest_fits(exchange, component=ANSWERS[operation(exchange)], others=LENIENT)


def _stream(exchange: Exchange) -> Outcome:
    return _all(exchange, *fuzz_surfaces.STREAMS.get(operation(exchange), CHUNKED))


def _chunks(exchange: Exchange) -> Outcome:
    return schema.chunk_rest_fits(exchange, component=CHUNKS[operation(exchange)], others=LENIENT)


CHUNKED = (
    framing.is_event_stream,
    framing.carries_chunks,
    framing.events_are_json,
    framing.one_done,
    framing.done_is_last,
    _chunks,
)
"""The checks on a stream of chunks."""


def _method(exchange: Exchange) -> Outcome:
    status = exchange.status
    if status == 501:
        return saw("status 501", exchange)
    if status is None or status >= 500 or status in UNDECIDED:
        raise unanswered(exchange)
    if status == 405 and exchange.header("allow") is not None:
        return saw("status 405 with Allow", exchange)
    found = "status 405 without Allow" if status == 405 else f"status {status}"
    return Deviation("status 405 with Allow", f"{found} for {exchange.request.method}")


def _wrong(exchange: Exchange, what: Case) -> tuple[str, frozenset[str]]:
    """The invalid part of the request, as a clause, and the names of the fields."""
    component = body_component(what.operation)
    if component is None:
        return "there is no such model", frozenset({"model"})
    try:
        value = reading.parse(exchange.request.body)
    except ValueError:
        return "the body is not JSON", frozenset({"body"})
    found = misfits(component, value)
    if not found:  # decided by another version of the contract
        return "the request is invalid", frozenset({"body"})
    return f"{found[0].pointer or 'the body'}: {found[0].message}", frozenset(
        misfit.field for misfit in found
    )


def _features(exchange: Exchange) -> frozenset[str]:
    body = exchange.request.json
    component = body_component(operation(exchange))
    return features(body, component) if isinstance(body, dict) and component else frozenset()


def body_component(operation: str) -> str | None:
    """The component of an operation's request body; None if it has none."""
    method, _, path = operation.partition(" ")
    return request_components().get(path) if method == "POST" else None


def _path(exchange: Exchange) -> str:
    return operation(exchange).partition(" ")[2]


def meant(exchange: Exchange) -> Meant | None:
    """The meaning of the case by the contract; None if the exchange is not a case."""
    what = case(exchange.stimulus)
    return None if what is None else what.meant


def operation(exchange: Exchange) -> str:
    """Method and path of the case in the contract; "" if the exchange is not a case."""
    what = case(exchange.stimulus)
    return "" if what is None else what.operation


_COUNTS = frozenset(surface.counting for surface in SURFACES)


def is_streamed(exchange: Exchange) -> bool:
    """Whether the request is for a stream; a token count is not, even of a streamed request."""
    return exchange.request.fields.get("stream") is True and operation(exchange) not in _COUNTS


def refused(exchange: Exchange) -> bool:
    """Whether the request was refused with 4xx, but not because of its key or a busy target."""
    return 400 <= (exchange.status or 0) < 500 and exchange.status not in UNDECIDED


def answered_well(exchange: Exchange) -> bool:
    """Whether the request was accepted, with an answer of its operation's kind."""
    return acceptance.accepted(exchange) and kinds.of_its_kind(exchange)


def accepted(exchange: Exchange) -> bool:
    """Whether the answer is 2xx, and complete or cut off by the target."""
    return acceptance.accepted(exchange) and (whole(exchange) or _is_broken_off(exchange))


def whole(exchange: Exchange) -> bool:
    """Whether the answer is complete."""
    return exchange.failure is None


def _is_broken_off(exchange: Exchange) -> bool:
    return exchange.failure is not None and exchange.failure.kind is FailureKind.RESET
