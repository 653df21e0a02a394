"""Recognises requests of the suite, so that faults can select the answers to change."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gonogo.exchange import header
from gonogo.stimuli.stimulus import NotPossible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.stimulus import Stimulus, Subject

TELLING = (
    "tools",
    "response_format",
    "logprobs",
    "n",
    "stop",
    "stop_sequences",
    "echo",
    "suffix",
    "dimensions",
    "encoding_format",
    "text",
    "output_config",
)
"""Fields that a request must have for its answer to match an edit."""

LONG = 1000
"""The number of characters of a long prompt; those of most stimuli are shorter."""

SAID = ("messages", "prompt", "input")

_Place = tuple[str, str, str]


class Recogniser:
    """Finds the keys of stimuli for requests; `stimuli` in the order in which equal requests are sent to `subject`.

    Stimuli that are built from earlier answers are known once these answers were `learned`.
    """

    def __init__(self, stimuli: Iterable[Stimulus], subject: Subject) -> None:
        self._subject = subject
        self._waiting = list(stimuli)
        self._known: dict[_Place, list[tuple[Stimulus, Request]]] = defaultdict(list)
        self._answers: dict[str, Exchange] = {}
        self._times: dict[str, int] = defaultdict(int)
        self._keyed = False
        self._build()

    def key(self, request: Request) -> str | None:
        """The key of the stimulus with exactly this request, the least used one if several match; None if none does."""
        keyed = any(header(request.headers, name) is not None for name in ("authorization", "x-api-key"))
        self._keyed = self._keyed or keyed
        fitting = [
            (len(asked.headers), stimulus)
            for stimulus, asked in self._known.get(_place(request), [])
            # Only in a run with a key does a request without one differ from the plain request.
            if _has(request, asked.headers) and asked.anonymous is (self._keyed and not keyed)
        ]
        if not fitting:
            return None
        most = max(number for number, _ in fitting)
        key = min((s.key for number, s in fitting if number == most), key=self._times.__getitem__)
        self._times[key] += 1
        return key

    def near(self, exchange: Exchange) -> Iterator[str]:
        """The keys of the stimuli for the same operation with answers of the same kind, the most similar first.

        The answer to an unknown request is changed like the answer to one of these stimuli.
        """
        request = exchange.request
        found = [
            (_distance(request.fields, asked.fields), stimulus.key)
            for known in self._known.values()
            for stimulus, asked in known
            if _is_like(exchange, stimulus, asked)
        ]
        return iter(key for _, key in sorted(found, key=lambda pair: pair[0]))

    def asks_all(self, request: Request, key: str, *, exactly: bool) -> bool:
        """Whether a request has all parameters and kinds of messages of the stimulus with this key; `exactly`: with
        equal values.
        """
        found = (asked for known in self._known.values() for each, asked in known if each.key == key)
        fits = _asks_all if exactly else _names_all
        return any(fits(request.fields, asked.fields) for asked in found)

    def learn(self, exchange: Exchange) -> None:
        """Remember the answer that the client gets: later requests may be built from it."""
        self._answers[exchange.stimulus] = exchange
        self._build()

    def _build(self) -> None:
        waiting, self._waiting = self._waiting, []
        for stimulus in waiting:
            if any(need.key not in self._answers for need in stimulus.needs):
                self._waiting.append(stimulus)
                continue
            with suppress(NotPossible):
                request = stimulus.build(self._subject, self._answers)
                self._known[_place(request)].append((stimulus, request))


def neutral(request: Request, models: Collection[str], subject: Subject) -> Request:
    """The request with the model of the subject in place of another model of the server."""
    path, fields = request.path, request.fields
    asked = subject.embedding_model if path.startswith("/embeddings") else subject.model
    if fields.get("model") == asked or fields.get("model") not in models:
        return request
    return replace(request, body=json.dumps(fields | {"model": asked}).encode())


def _place(request: Request) -> _Place:
    value = request.json
    body = repr(request.body) if value is None else json.dumps(value, sort_keys=True)
    return request.method, request.path, body


def _has(request: Request, headers: Iterable[tuple[str, str]]) -> bool:
    return all(header(request.headers, name) == value for name, value in headers)


def _is_like(exchange: Exchange, stimulus: Stimulus, asked: Request) -> bool:
    """Whether operation and form are equal, and the answer succeeded exactly if the stimulus is valid."""
    request = exchange.request
    if (request.method, request.path) != (asked.method, asked.path):
        return False
    if stimulus.valid is not (exchange.status is not None and exchange.status < 400):
        return False
    given, wanted = request.fields, asked.fields
    same_form = bool(given.get("stream")) == bool(wanted.get("stream"))
    return same_form and all(name in given for name in TELLING if wanted.get(name) not in (None, 1, []))


def _distance(given: dict[str, Any], wanted: dict[str, Any]) -> int:
    """The number of fields in which two bodies differ; texts and models are ignored."""
    names = (given.keys() | wanted.keys()) - {"model", "messages", "prompt", "input", "max_tokens"}
    return sum(given.get(name) != wanted.get(name) for name in names)


def _names_all(given: dict[str, Any], wanted: dict[str, Any]) -> bool:
    missing = wanted.keys() - given.keys() - {"model", *SAID}
    # Nearly every stimulus has a limit: a request without a limit matches it, one with another limit does not.
    if missing and (missing != {"max_tokens"} or "max_completion_tokens" in given):
        return False
    return all(_marks(given.get(name)) >= _marks(wanted.get(name)) for name in SAID)


def _asks_all(given: dict[str, Any], wanted: dict[str, Any]) -> bool:
    names = wanted.keys() - {"model", *SAID}
    alike = all(_is_alike(given[name], wanted[name]) for name in names if name in given)
    return alike and _names_all(given, wanted)


def _is_alike(given: object, wanted: object) -> bool:
    """Whether two values are of the same kind: numbers of similar size, texts, objects with the same members."""
    if isinstance(wanted, bool) or wanted is None:
        return given is wanted
    if isinstance(wanted, int | float):
        if not isinstance(given, int | float) or isinstance(given, bool):
            return False
        return given == wanted or (wanted * given > 0 and 0.1 < given / wanted < 10)
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            name in given and _is_alike(given[name], value)
            for name, value in wanted.items()
            if name != "name"
        )
    if isinstance(wanted, list):
        return isinstance(given, list) and min(len(given), 2) == min(len(wanted), 2)
    return type(given) is type(wanted)


def _marks(said: object) -> set[object]:
    """The distinguishing features of messages: roles other than the user's, content other than text, long texts,
    unusual characters.
    """
    if isinstance(said, str):
        odd = {kind for kind, seen in (("NUL", "\0" in said), ("half", _has_half(said))) if seen}
        return odd | ({"long"} if len(said) > LONG else set()) | (set() if said else {"nothing"})
    if isinstance(said, list):
        return {type(said[0]).__name__ if said else "none", len(said) > 1}.union(*map(_marks, said))
    if isinstance(said, dict):
        role, *_ = [said[name] for name in ("role", "type") if name in said] or [None]
        return {role, *(said.keys() - {"role", "type", "text"})}.union(*map(_marks, said.values()))
    return {type(said).__name__}


def _has_half(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
