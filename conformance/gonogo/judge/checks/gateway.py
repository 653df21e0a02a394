"""Checks on a gateway: compares the client's answers with the exchanges of the upstream.

The exchanges of a rule are the client's and the upstream's (`gonogo.stimuli.played`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind, header
from gonogo.judge import reading
from gonogo.judge.checks.acceptance import ending
from gonogo.judge.checks.refusals import has_envelope
from gonogo.judge.outcome import Deviation, saw, unanswered, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason
from gonogo.stimuli import plays
from gonogo.stimuli.played import CLIENT_KEY, FIRST, PROVIDER, SAW, SECOND, is_played, sight_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonogo import sse
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.reading import Object

_TURNED_AWAY = frozenset({404, 429, 503})
"""Statuses of a gateway that currently has no provider for a model, for example after a provider failed."""


# ---- streams -------------------------------------------------------------------------------------------------


@compare("the client gets an error, or a connection that breaks", Of.ANY)
def told_of_failure(*exchanges: Exchange) -> Outcome:
    """An error status, an error event, or a cut-off stream; not the regular end of an answer."""
    client, _ = _pair(exchanges)
    if _fails(client):
        return saw("answer that fails", client)
    if client.failure is not None:
        return _broken(client, "an error event, or a connection that breaks", ending(client))
    done = any(event.data == reading.DONE for event in reading.stream(client).events)
    return _broken(
        client,
        "an error event, or a connection that breaks",
        'a stream that ends with "[DONE]" and no error' if done else "an answer that ends without an error",
    )


@compare("the gateway invents no finish reason", Of.ANY)
def no_reason_made_up(*exchanges: Exchange) -> Outcome:
    """The upstream sent no finish reason, so the gateway sends none."""
    client, _ = _pair(exchanges)
    if _fails(client):
        return saw("answer that fails", client)
    for chunk in _chunks(client):
        for choice in chunk.choices:
            if choice.get("finish_reason") is not None:
                found = reading.field(choice, "finish_reason")
                return _broken(client, "no finish_reason, or an error", found, chunk)
    return saw("stream without a finish_reason", client)


@compare("the client gets the upstream's text and no comment as data", Of.ANY)
def text_arrives(*exchanges: Exchange) -> Outcome:
    """Every event is JSON or [DONE], and the text is exactly that of the play."""
    client, _ = _pair(exchanges)
    _readable(client)
    for event in reading.stream(client).events:
        if plays.COMMENT in event.data:
            return _broken(client, "no comment as data", f"an event with the data {event.data[:80]!r}", event)
    text = _text(_chunks(client))
    if text != plays.TEXT:
        return _broken(client, repr(plays.TEXT), repr(text))
    return saw("stream with the text", client)


@compare("the client gets the usage that the upstream counted", Of.ANY)
def usage_arrives(*exchanges: Exchange) -> Outcome:
    """One chunk has the usage; a gateway that does not request usage may count the tokens itself."""
    client, sights = _pair(exchanges)
    _readable(client)
    found = [(chunk, usage) for chunk in _chunks(client) if (usage := reading.usage(chunk.value)) is not None]
    if not found:
        return _broken(client, "a chunk with usage", "no chunk has usage")
    chunk, usage = found[-1]
    counted = {name: usage.get(name) for name in plays.USAGE}
    # The last request may be another one of this play.
    asks = any(plays.asks_for_usage(one.request.fields) for one in sights)
    if counted == plays.USAGE or not asks:
        return saw("chunk with usage", client)
    return _broken(client, json.dumps(plays.USAGE), json.dumps(counted), chunk)


@compare("no chunk without choices reaches the client", Of.ANY)
def usage_kept_back(*exchanges: Exchange) -> Outcome:
    """Usage next to the last choice does not harm clients that read the first choice of each chunk."""
    client, _ = _pair(exchanges)
    _readable(client)
    chunks = _chunks(client)
    for chunk in chunks:
        if not chunk.choices:
            found = f"a chunk without choices: {reading.field(chunk.value, 'usage')}"
            return _broken(client, "a choice in every chunk", found, chunk)
    return saw("chunk with a choice", client, count=len(chunks))


@compare("the client gets the upstream's calls with an index each, or an error", Of.ANY)
def calls_are_numbered(*exchanges: Exchange) -> Outcome:
    """Joined by their index, the fragments are the calls of the play."""
    client, _ = _pair(exchanges)
    if _fails(client):
        return saw("answer that fails", client)
    _readable(client)
    parts = [
        (chunk, part)
        for chunk in _chunks(client)
        for choice in chunk.choices
        for part in reading.objects(reading.delta(choice).get("tool_calls"))
    ]
    for chunk, part in parts:
        if reading.count(part.get("index")) is None:
            return _broken(client, "a whole number as index", reading.field(part, "index"), chunk)
    calls = _calls(part for _, part in parts)
    if calls != list(plays.CALLS):
        return _broken(client, _spelled(plays.CALLS), _spelled(calls))
    return saw("stream with both calls", client)


@compare("the connection to the upstream is closed within {seconds:d} s", Of.ANY)
def upstream_is_left(*exchanges: Exchange, seconds: int) -> Outcome:
    """The upstream's connection is closed soon after the client closed its own."""
    client, sights = _pair(exchanges)
    _readable(client, whole=False)
    last = sights[-1]
    if client.seconds >= plays.LONG * plays.PACE:
        raise undecided(Reason.OVER_BEFORE_LEFT, client)
    expected = f"the upstream's connection closed within {seconds} s after the client's"
    if last.failure is None:
        return _broken(
            last, expected, f"the upstream answers to its end, {last.seconds:.1f} s after it was asked"
        )
    late = last.failure.at - client.seconds
    if late > seconds:
        return _broken(last, expected, f"it is closed {late:.1f} s after")
    return saw("upstream that was left", last)


# ---- answers and keys ----------------------------------------------------------------------------------------


@compare("each client gets its own answer", Of.ANY)
def own_answer(*exchanges: Exchange) -> Outcome:
    """The text names the request, and thereby shows to which request the answer belongs."""
    clients = _clients(exchanges)
    for client in clients:
        _readable(client)
        expected = plays.text_of(plays.asked_for(client.request.body).number)
        text = _text(_chunks(client)) if client.is_stream else _said(client)
        if text != expected:
            return _broken(client, repr(expected), repr(text))
    return saw("answer of its own", *clients)


@compare("no request has the key of the client", Of.ANY)
def client_key_kept(*exchanges: Exchange) -> Outcome:
    """A key that the client shares with the upstream on purpose may be forwarded."""
    if not any(header(client.request.headers, "authorization") for client in _clients(exchanges)):
        raise undecided(Reason.NO_CLIENT_KEY)
    sights = _sights(exchanges)
    for observed in sights:
        if CLIENT_KEY in _saw(observed):
            found = "the client's key is in the request"
            return _broken(observed, "requests without the client's key", found)
    return saw("request without the client's key", *sights)


@compare("each provider gets only its own key", Of.ANY)
def own_key(*exchanges: Exchange) -> Outcome:
    """Each of two providers gets its own key and model."""
    sights = _sights(exchanges)
    by_provider = {
        name: [s for s in sights if header(s.request.headers, PROVIDER) == name] for name in (FIRST, SECOND)
    }
    if not by_provider[SECOND]:
        raise undecided(Reason.NO_SECOND_PROVIDER)
    for name, other in ((FIRST, SECOND), (SECOND, FIRST)):
        for observed in by_provider[name]:
            if f"the key of the {other} provider" in _saw(observed):
                found = f"the {name} provider gets the key of the {other}"
                return _broken(observed, "each provider's key at that provider alone", found)
    for client in _clients(exchanges):
        _readable(client)
        expected = plays.text_of(plays.asked_for(client.request.body).number)
        if (text := _said(client)) != expected:
            return _broken(client, repr(expected), repr(text))
    return saw("request with no other's key", *sights)


@compare("no answer contains a key of the upstream", Of.ANY)
def key_not_leaked(*exchanges: Exchange) -> Outcome:
    """The key is not in bodies and headers; the upstream's errors contain it."""
    sights, clients = _sights(exchanges), _clients(exchanges)
    if not any("the key of the" in _saw(observed) for observed in sights):
        raise undecided(Reason.NO_UPSTREAM_KEY)
    return _holds_none(clients, {plays.KEY: "the upstream's key", plays.SECOND_KEY: "the upstream's key"})


@compare("no answer contains an address or a stack trace of the upstream", Of.ANY)
def inside_not_told(*exchanges: Exchange) -> Outcome:
    """The address of the upstream is hidden."""
    sights, clients = _sights(exchanges), _clients(exchanges)
    hosts = {host for observed in sights if (host := header(observed.request.headers, "host"))}
    words = dict.fromkeys(hosts, "the upstream's address") | {word: f'"{word}"' for word in plays.INSIDE}
    return _holds_none(clients, words)


# ---- errors --------------------------------------------------------------------------------------------------


@check("the failure is reported as an error object", Of.ANY)
def in_an_envelope(exchange: Exchange) -> Outcome:
    """For any answer of the upstream, and without an answer."""
    _failed(exchange)
    if exchange.status is None:
        return _broken(exchange, "an error object", ending(exchange))
    if exchange.status < 400:
        raise undecided(Reason.NOT_REFUSED, exchange, status=exchange.status)
    return has_envelope(exchange)


@compare("the failure is reported with a status of {kind:d}xx", Of.ANY)
def status_of_kind(*exchanges: Exchange, kind: int) -> Outcome:
    """A status of the class; rejections by the gateway itself after a failure of the upstream are ignored."""
    witnesses: list[Exchange] = []
    for client in _clients(exchanges):
        _failed(client)
        expected = f"a status of {kind}xx"
        if client.status is None or client.status // 100 != kind:
            found = ending(client) if client.status is None else f"the status is {client.status}"
            asked = any(sight_of(observed.stimulus) == client.stimulus for observed in _sights(exchanges))
            if client.status in _TURNED_AWAY and not asked:
                raise undecided(Reason.UPSTREAM_NOT_ASKED, client, ending=found)
            return _broken(client, expected, found)
        witnesses.append(client)
    return saw(f"status of {kind}xx", *witnesses)


@compare("the client gets 429 or 503 with Retry-After", Of.ANY)
def told_when(*exchanges: Exchange) -> Outcome:
    """429 or 503, with Retry-After."""
    client, _ = _pair(exchanges)
    _failed(client)
    if client.status not in {429, 503}:
        return _broken(client, "status 429 or 503", ending(client))
    if client.header("retry-after") is None:
        return _broken(client, "a header Retry-After", "there is none")
    return saw("header Retry-After", client)


# ---- helpers -------------------------------------------------------------------------------------------------


def _broken(
    exchange: Exchange, expected: str, found: str, at: reading.Chunk | sse.Event | None = None
) -> Deviation:
    """The deviation in one of the rule's exchanges."""
    deviation = Deviation(expected, found, also=((exchange.id, found),))
    return deviation if at is None else deviation.located(exchange, at.offset, at.end)


def _pair(exchanges: Sequence[Exchange]) -> tuple[Exchange, list[Exchange]]:
    """The answer to the client, and the upstream's request for it. Raises Stop if the upstream got none."""
    client = next(exchange for exchange in exchanges if is_played(exchange.stimulus))
    sights = _sights(exchanges)
    if not sights:
        raise undecided(Reason.UPSTREAM_NOT_ASKED, client, ending=ending(client))
    return client, sights


def _clients(exchanges: Iterable[Exchange]) -> list[Exchange]:
    return [exchange for exchange in exchanges if is_played(exchange.stimulus)]


def _sights(exchanges: Iterable[Exchange]) -> list[Exchange]:
    return [exchange for exchange in exchanges if not is_played(exchange.stimulus)]


def _saw(observed: Exchange) -> str:
    return header(observed.request.headers, SAW) or ""


def _fails(exchange: Exchange) -> bool:
    """Whether a client can see that its answer failed."""
    if exchange.failure is not None:
        return exchange.failure.kind in {FailureKind.RESET, FailureKind.PROTOCOL}
    if exchange.status is not None and exchange.status >= 400:
        return True
    events: tuple[sse.Event, ...] = tuple(reading.stream(exchange).events)
    return any(event.event == "error" or reading.is_error(event.data) for event in events)


def _failed(exchange: Exchange) -> None:
    """Raise Stop for an answer that timed out, because the time for retries is not limited."""
    if exchange.failure is not None and exchange.failure.kind is FailureKind.TIMEOUT:
        raise unanswered(exchange)


def _readable(exchange: Exchange, *, whole: bool = True) -> None:
    """Raise Stop for an answer that a client cannot read."""
    if exchange.status != 200 or (whole and exchange.failure is not None):
        raise unanswered(exchange)


def _chunks(exchange: Exchange) -> Sequence[reading.Chunk]:
    return reading.chunks(exchange)


def _text(chunks: Iterable[reading.Chunk]) -> str:
    pieces = (reading.delta(choice).get("content") for chunk in chunks for choice in chunk.choices)
    return "".join(piece for piece in pieces if isinstance(piece, str))


def _said(exchange: Exchange) -> object:
    message = reading.choices(exchange)[0].get("message")
    return message.get("content") if isinstance(message, dict) else None


def _calls(parts: Iterable[Object]) -> list[tuple[str, str]]:
    """The name and arguments of each call; fragments are joined by their index."""
    made: dict[int, tuple[str, str]] = {}
    for part in parts:
        index = part["index"]
        name, arguments = made.get(index, ("", ""))
        found = part.get("function")
        more: Object = found if isinstance(found, dict) else {}
        made[index] = (f"{name}{more.get('name') or ''}", f"{arguments}{more.get('arguments') or ''}")
    return [made[index] for index in sorted(made)]


def _spelled(calls: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name}({arguments})" for name, arguments in calls)


def _holds_none(clients: Sequence[Exchange], words: dict[str, str]) -> Outcome:
    """A deviation for the first answer with one of the words; the values describe them."""
    for client in clients:
        heads = " ".join(value for _, value in client.headers)
        for word, what in words.items():
            offset = client.body.find(word.encode())
            if offset >= 0:
                found = f"{what} in the body"
                return _broken(client, "nothing of the upstream", found).located(client, offset)
            if word in heads:
                found = f"{what} in a header"
                return _broken(client, "nothing of the upstream", found)
    return saw("answer without it", *clients)
