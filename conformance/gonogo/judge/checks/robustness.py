"""Generated requests, judged together: their failures by cause, and nothing where too few were accepted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge import reading
from gonogo.judge.absence import NO_SUCH_ROUTE
from gonogo.judge.causes import Defect, cause, smallest, words
from gonogo.judge.checks import acceptance, bodies, framing, refusals, schema
from gonogo.judge.checks.life import still_answers
from gonogo.judge.features import features
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.shape import misfits
from gonogo.judge.steps import Of, compare
from gonogo.stimuli.fuzzed import Case, Meant, case
from gonogo.stimuli.life import is_sign_of_life, suspects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gonogo.exchange import Exchange

    Look = Callable[[Exchange], Deviation | None]

ENOUGH = 20
"""Accepted requests to operations on models; with fewer, none of these rules has seen the target at work."""

SHOWN = 3
UNDECIDED = {401, 403, 429}

CHAT, COMPLETIONS, EMBEDDINGS = "POST /chat/completions", "POST /completions", "POST /embeddings"
REQUESTS = {
    CHAT: "CreateChatCompletionRequest",
    COMPLETIONS: "CreateCompletionRequest",
    EMBEDDINGS: "CreateEmbeddingRequest",
}
ANSWERS = {
    CHAT: "ChatCompletion",
    COMPLETIONS: "Completion",
    EMBEDDINGS: "EmbeddingList",
    "GET /models": "ModelList",
    "GET /models/{model}": "Model",
}
CHUNKS = {CHAT: "ChatCompletionChunk", COMPLETIONS: "CompletionChunk"}
LENIENT = ["choices[].logprobs", "choices[].message.refusal"]
"""Required fields that many servers leave out: rules of their own speak of them, as warnings."""


@compare("no case is answered with a server error", Of.ANY)
def no_server_error(*exchanges: Exchange) -> Deviation | None:
    """5xx for anything, 501 aside, and 503 where it says when to come back."""
    return _judged(exchanges, server_errors(_attributable(exchanges)))


@compare("every case is answered", Of.ANY)
def answered(*exchanges: Exchange) -> Deviation | None:
    """No connection is dropped, and none is the last; what took too long is another rule's matter."""
    return _died(exchanges) or _judged(exchanges, dropped(exchanges))


@compare("every refusal of a case is an error with message and type", Of.ANY)
def refused_well(*exchanges: Exchange) -> Deviation | None:
    """4xx with the envelope, apart from methods that the path does not have."""
    return _judged(exchanges, bad_refusals(_attributable(exchanges)))


@compare("every accepted case is answered as its operation describes", Of.ANY)
def answers_fit(*exchanges: Exchange) -> Deviation | None:
    """One JSON object that fits the schema, where no stream was asked for."""
    return _judged(exchanges, bad_answers(_attributable(exchanges)))


@compare("every accepted case that asks for a stream is answered with a whole one", Of.ANY)
def streams_fit(*exchanges: Exchange) -> Deviation | None:
    """Events of chunks that fit the schema, to the [DONE], however many there are."""
    cases = _attributable(exchanges)
    streamed = [exchange for exchange in cases if _is_streamed(exchange) and _accepted(exchange)]
    deviation = _judged(exchanges, bad_streams(cases))
    if deviation is None and not streamed:
        raise Undecided("no case that asks for a stream was accepted")
    return deviation


@compare("every invalid case is refused", Of.ANY)
def invalid_refused(*exchanges: Exchange) -> Deviation | None:
    """What the contract does not admit is not answered with 2xx."""
    return _judged(exchanges, wrongly_accepted(_attributable(exchanges)))


@compare("every valid case is accepted, or refused for something that is never accepted", Of.ANY)
def valid_accepted(*exchanges: Exchange) -> Deviation | None:
    """What the contract admits is not refused where each part of it is accepted elsewhere."""
    return _judged(exchanges, wrongly_refused(_attributable(exchanges)))


@compare("every method that a path does not have is answered with 405 and Allow", Of.ANY)
def method_refused(*exchanges: Exchange) -> Deviation | None:
    """405 with the methods that there are, or 501 for one that the server knows nowhere."""
    return _judged(exchanges, methods_taken(_attributable(exchanges)))


def server_errors(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Answers with 5xx."""
    return _defects(exchanges, list(Meant), acceptance.no_server_error)


def dropped(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Connections that ended before the answer did."""
    return _defects(exchanges, list(Meant), acceptance.complete)


def bad_refusals(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Answers with 4xx that are no error objects."""
    refused = [exchange for exchange in exchanges if 400 <= (exchange.status or 0) < 500 and _whole(exchange)]
    return _defects(refused, [Meant.VALID, Meant.INVALID, Meant.ODD], _bad_refusal)


def bad_answers(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Whole answers that do not fit their schema."""
    plain = [exchange for exchange in exchanges if _accepted(exchange) and not _is_streamed(exchange)]
    return _defects(plain, [Meant.VALID, Meant.ODD], _bad_answer)


def bad_streams(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Streams that are none, or not whole, or of chunks that do not fit their schema."""
    streamed = [exchange for exchange in exchanges if _accepted(exchange) and _is_streamed(exchange)]
    return _defects(streamed, [Meant.VALID, Meant.ODD], _bad_stream)


def wrongly_accepted(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Accepted requests that the contract does not admit; those wrong in the same fields have one cause.

    What is wrong in more fields than another shows nothing that the other does not.
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
    told = {(operation, fields) for operation, fields, _ in found}
    for operation, fields, defect in found:
        if not any(operation == other and fewer < fields for other, fewer in told):
            yield defect


def wrongly_refused(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Refused requests that the contract admits, whose every feature was accepted in other valid requests."""
    valid = [exchange for exchange in exchanges if _meant(exchange) is Meant.VALID]
    known: dict[str, set[str]] = {}
    for exchange in filter(acceptance.accepted, valid):
        known.setdefault(exchange.request.path, set()).update(_features(exchange))
    for exchange in valid:
        status = exchange.status or 0
        accepted = known.get(exchange.request.path)
        if not 400 <= status < 500 or status in UNDECIDED or accepted is None:
            continue
        if _features(exchange) <= accepted:
            said = exchange.body[:200].decode("utf-8", "backslashreplace")
            deviation = Deviation("a status of 2xx", f"status {status}: {said}")
            yield Defect(exchange, deviation, cause(_operation(exchange), status, said))


def methods_taken(exchanges: Iterable[Exchange]) -> Iterator[Defect]:
    """Answers to methods that a path does not have, other than 405 with Allow, 501 or a server error.

    A path that is not there at all has no methods either, and 404 says so. One router answers for all paths and
    methods, so that the status alone is the cause.
    """
    known = list(exchanges)
    there = {_path(exchange) for exchange in known if exchange.status not in NO_SUCH_ROUTE}
    asked = (e for e in known if e.status != 404 or _path(e) in there)
    for defect in _defects(asked, [Meant.METHOD], _method_taken):
        yield replace(defect, cause=cause(defect.exchange.status))


LOOKS = (server_errors, dropped, bad_refusals, bad_answers, bad_streams, wrongly_accepted, wrongly_refused)
"""Every kind of defect that a smaller request might show as well."""


def accepted_cases(exchanges: Iterable[Exchange]) -> int:
    """How many requests that the contract admits were accepted, the lists of models left out."""
    return sum(
        acceptance.accepted(exchange)
        and _operation(exchange) in REQUESTS
        and _meant(exchange) in (Meant.VALID, Meant.ODD)
        for exchange in exchanges
    )


def _died(exchanges: Iterable[Exchange]) -> Deviation | None:
    """A deviation where the target did not live through the cases that were sent together last."""
    known = {exchange.stimulus: exchange for exchange in exchanges}
    for key, exchange in known.items():
        if not is_sign_of_life(key) or _lives(exchange):
            continue
        sent = [known[other] for other in suspects(key) if other in known and case(other)]
        sent.sort(key=_innocence)
        if sent:
            which = (
                f"one of {len(sent)} cases; --concurrency 1 sends fewer together"
                if len(sent) > 1
                else sent[0].id
            )
            return Deviation(
                "a target that answers on",
                f"a plain request was no longer answered ({acceptance.ending(exchange)}) after {which}",
                examples=tuple((one.id, acceptance.ending(one)) for one in [*sent, exchange]),
            )
    return None


def _innocence(sent: Exchange) -> int:
    """How little a case looks like the one that stopped the target: least where its answer broke off."""
    if not _whole(sent):
        return 0
    if (sent.status or 500) >= 500:
        return 1
    return 3 if acceptance.accepted(sent) else 2


def _attributable(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """The cases whose answers are their own: not those sent together with the one that stopped the target."""
    known = list(exchanges)
    dead = [e.stimulus for e in known if is_sign_of_life(e.stimulus) and not _lives(e)]
    tainted = {key for sign in dead for key in suspects(sign)}
    return [e for e in known if case(e.stimulus) and e.stimulus not in tainted]


def _lives(sign: Exchange) -> bool:
    """Whether a sign of life shows somebody alive, be it that it has no time."""
    with suppress(Undecided):
        return still_answers(sign) is None
    return True


def _judged(exchanges: tuple[Exchange, ...], defects: Iterable[Defect]) -> Deviation | None:
    found = list(defects)
    cases = _attributable(exchanges)
    exchanges = tuple(exchange for exchange in exchanges if case(exchange.stimulus))
    if not found:
        count = accepted_cases(cases)
        if count < ENOUGH:
            raise Undecided(
                f"{count} of {len(cases)} generated cases were accepted, and fewer than {ENOUGH} show "
                "too little; a larger --fuzz-budget sends more"
            )
        return None
    causes = smallest(found)
    first = causes[0]
    return Deviation(
        first.deviation.expected,
        f"{first.deviation.actual} ({_counted(causes, found, exchanges)})",
        first.deviation.position,
        tuple((defect.exchange.id, defect.deviation.actual) for defect in causes),
    )


def _counted(causes: list[Defect], found: list[Defect], exchanges: tuple[Exchange, ...]) -> str:
    """How often, how many causes, and the seed that repeats it."""
    rest = [f"{_operation(d.exchange)} {d.exchange.id}: {_in_short(d)}" for d in causes[1:]]
    plural = "s" if len(rest) > 1 else ""
    more = f"; {len(rest)} more cause{plural}: {'; '.join(rest[:SHOWN])}" if rest else ""
    ellipsis = "; …" if len(rest) > SHOWN else ""
    what = case(causes[0].exchange.stimulus)
    seed = f"--fuzz-seed {what.seed}" if what is not None else "no seed"
    return f"in {len(found)} of {len(exchanges)} cases of {seed}{more}{ellipsis}"


def _in_short(defect: Defect) -> str:
    """What a server error says of itself, as the JSON around it would push out what tells two causes apart."""
    told = _told(defect.exchange)
    return (f"status {told}" if told else defect.deviation.actual)[:80].rstrip()


def _defects(exchanges: Iterable[Exchange], meant: list[Meant], look: Look) -> Iterator[Defect]:
    for exchange in exchanges:
        what = case(exchange.stimulus)
        if what is None or what.meant not in meant:
            continue
        with suppress(Undecided):
            deviation = look(exchange)
            if deviation is not None:
                yield Defect(exchange, deviation, cause(what.operation, _told(exchange) or deviation.actual))


def _told(exchange: Exchange) -> str | None:
    """The status of a server error and what it says of itself; None for other answers, and where it says nothing."""
    if (exchange.status or 0) < 500:
        return None
    with suppress(Undecided):
        error = reading.answer(exchange).get("error")
        message = error.get("message") if isinstance(error, dict) else error
        return f"{exchange.status} {words(message)}" if isinstance(message, str) else None
    return None


def _bad_refusal(exchange: Exchange) -> Deviation | None:
    return refusals.has_envelope(exchange) or next(
        filter(
            None,
            (
                schema.refusal_field_fits(exchange, f"error.{field}", "ErrorEnvelope")
                for field in ("message", "type")
            ),
        ),
        None,
    )


def _bad_answer(exchange: Exchange) -> Deviation | None:
    component = ANSWERS[_operation(exchange)]
    return (
        bodies.media_type_is(exchange, "application/json")
        or bodies.one_json_object(exchange)
        or schema.answer_rest_fits(exchange, component, LENIENT)
    )


def _bad_stream(exchange: Exchange) -> Deviation | None:
    return (
        framing.is_event_stream(exchange)
        or framing.carries_chunks(exchange)
        or framing.events_are_json(exchange)
        or framing.one_done(exchange)
        or framing.done_is_last(exchange)
        or schema.chunk_rest_fits(exchange, CHUNKS[_operation(exchange)], LENIENT)
    )


def _method_taken(exchange: Exchange) -> Deviation | None:
    status = exchange.status
    if status is None or status >= 500 or status in UNDECIDED:
        return None
    if status == 405 and exchange.header("allow") is not None:
        return None
    actual = "status 405 without Allow" if status == 405 else f"status {status}"
    return Deviation("status 405 with Allow", f"{actual} for {exchange.request.method}")


def _wrong(exchange: Exchange, what: Case) -> tuple[str, frozenset[str]]:
    """What the request is wrong in, as a clause, and the names of the fields."""
    component = REQUESTS.get(what.operation)
    if component is None:
        return "there is no such model", frozenset({"model"})
    try:
        value = reading.parse(exchange.request.body)
    except ValueError:
        return "the body is not JSON", frozenset({"body"})
    found = misfits(component, value)
    if not found:  # another version of the contract decided it
        return "the request is invalid", frozenset({"body"})
    return f"{found[0].pointer or 'the body'}: {found[0].message}", frozenset(
        misfit.field for misfit in found
    )


def _features(exchange: Exchange) -> frozenset[str]:
    body = exchange.request.json
    component = REQUESTS.get(_operation(exchange))
    return features(body, component) if isinstance(body, dict) and component else frozenset()


def _path(exchange: Exchange) -> str:
    return _operation(exchange).partition(" ")[2]


def _meant(exchange: Exchange) -> Meant | None:
    what = case(exchange.stimulus)
    return None if what is None else what.meant


def _operation(exchange: Exchange) -> str:
    what = case(exchange.stimulus)
    return "" if what is None else what.operation


def _is_streamed(exchange: Exchange) -> bool:
    return exchange.request.fields.get("stream") is True


def _accepted(exchange: Exchange) -> bool:
    """Accepted, and read to its end or to where the target broke it off."""
    return acceptance.accepted(exchange) and (_whole(exchange) or _is_broken_off(exchange))


def _whole(exchange: Exchange) -> bool:
    return exchange.failure is None


def _is_broken_off(exchange: Exchange) -> bool:
    return exchange.failure is not None and exchange.failure.kind is FailureKind.RESET
