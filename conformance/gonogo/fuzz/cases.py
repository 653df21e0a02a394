"""Converts generated cases to requests, and determines the answers that the contract allows."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from gonogo.exchange import Request
from gonogo.fuzz.meaning import meaning
from gonogo.fuzz.tame import STREAMING, most_tokens, tame
from gonogo.redaction import WRONG_KEY
from gonogo.stimuli.bodies import JSON_HEADERS
from gonogo.stimuli.fuzzed import Case, Meant, stimulus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gonogo.fuzz.source import Told
    from gonogo.stimuli.stimulus import Stimulus, Subject

STREAMED = 6
"""One of this number of valid generations is also sent as a stream."""

MILD = 64
"""The number of cases before the first risky one."""

_PROBE = "unspecified_http_method"
_OF_CORS = "OPTIONS"  # a browser's preflight request; many servers accept it on every path
_OF_A_RESPONSE = {("GET", "/responses/input_tokens"), ("DELETE", "/responses/input_tokens")}
"""Methods of `/responses/{response_id}`, whose id may be "input_tokens"."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A request to send, and its case; `path` is the path of the operation."""

    case: Case
    path: str
    request: Request
    tokens: int = 0

    @property
    def stimulus(self) -> Stimulus:
        """The case as a stimulus for a collector."""
        return stimulus(self.case, self.request, self.tokens)


def shots(told: Iterable[Told], seed: int, subject: Subject) -> Iterator[Shot]:
    """The requests to send, each once, numbered from 1; every sixth valid generation as a stream too."""
    seen: set[Request] = set()
    number = generations = 0
    for one in told:
        for shot in _shots(one, seed, subject):
            if shot.request in seen:
                continue
            seen.add(shot.request)
            number += 1
            yield _numbered(shot, str(number))
            if shot.case.meant is not Meant.VALID or shot.path not in STREAMING:
                continue
            generations += 1
            streamed = posted(shot, shot.request.fields | {"stream": True}, subject)
            if generations % STREAMED == 1 and streamed.request not in seen:
                seen.add(streamed.request)
                number += 1
                yield _numbered(streamed, str(number))


def mild_first(waiting: Iterable[Shot]) -> Iterator[Shot]:
    """The same cases, with no risky one before `MILD` others, so that there are results if the target stops."""
    risky: list[Shot] = []
    mild = 0
    for shot in waiting:
        if is_risky(shot) and mild < MILD:
            risky.append(shot)
            continue
        mild += 1
        if mild > MILD:
            yield from risky
            risky.clear()
        yield shot
    yield from risky


def is_risky(shot: Shot) -> bool:
    """Whether the prompt is a list, which crashes mlx_lm.server."""
    return isinstance(shot.request.fields.get("prompt"), list)


def posted(shot: Shot, value: object, subject: Subject) -> Shot:
    """The same case with another body, adapted by `tame`; its meaning is computed again."""
    body = tame(shot.path, value, subject)
    data = json.dumps(body, ensure_ascii=not _is_text(body)).encode()
    meant = meaning(shot.path, data, embeds=subject.embedding_model is not None)
    return replace(
        shot,
        case=replace(shot.case, meant=meant),
        request=replace(shot.request, body=data),
        tokens=most_tokens(shot.path, body),
    )


def keyless(shot: Shot) -> Iterator[Shot]:
    """The same request without the run's key, and with a wrong key."""
    request = replace(shot.request, anonymous=True)
    wrong = replace(request, headers=(*request.headers, ("authorization", WRONG_KEY)))
    for number, sent in ((shot.case.number, request), (f"{shot.case.number}.1", wrong)):
        yield replace(shot, case=replace(shot.case, number=number, meant=Meant.KEYLESS), request=sent)


def renumbered(shot: Shot, trial: int) -> Shot:
    """The case as an attempt to minimise it."""
    return _numbered(shot, f"{shot.case.number}.{trial}")


def _numbered(shot: Shot, number: str) -> Shot:
    return replace(shot, case=replace(shot.case, number=number))


def _shots(told: Told, seed: int, subject: Subject) -> Iterator[Shot]:
    method, _, path = told["operation"].partition(" ")
    case = Case(seed, "0", Meant.ODD, told["operation"])
    if told["scenario"] == _PROBE:
        if told["method"] != _OF_CORS and (told["method"], path) not in _OF_A_RESPONSE:
            asked = path.replace("{model}", quote(subject.model, safe=""))
            probe = Case(seed, "0", Meant.METHOD, f"{told['method']} {path}")
            yield Shot(probe, path, Request(told["method"], asked))
    elif told["method"] == "POST":
        yield from _posts(told, Shot(case, path, Request(method, path)), subject)
    else:
        yield from _gets(told, case, path, subject)


def _gets(told: Told, case: Case, path: str, subject: Subject) -> Iterator[Shot]:
    headers = _headers(told)
    if "{model}" not in path:
        meant = Meant.ODD if headers else Meant.VALID
        yield Shot(replace(case, meant=meant), path, Request("GET", path, headers))
        return
    served = Request("GET", path.replace("{model}", quote(subject.model, safe="")))
    yield Shot(replace(case, meant=Meant.VALID), path, served)
    invented = unquote(str(told["model"] or ""))
    # A path segment of dots changes the path, and proxies reject control characters.
    if invented.isprintable() and invented.strip(".") and invented != subject.model:
        asked = Request("GET", path.replace("{model}", quote(invented, safe="")))
        yield Shot(replace(case, meant=Meant.INVALID), path, asked)


def _posts(told: Told, shot: Shot, subject: Subject) -> Iterator[Shot]:
    headers = _headers(told)
    body: dict[str, Any] = told["body"] or {}
    shot = replace(shot, request=replace(shot.request, headers=headers))
    if "json" in body:
        shot = posted(shot, body["json"], subject)
    else:
        data = base64.b64decode(body.get("base64", ""))
        meant = meaning(shot.path, data, embeds=subject.embedding_model is not None)
        shot = replace(shot, case=replace(shot.case, meant=meant), request=replace(shot.request, body=data))
    if headers != JSON_HEADERS:  # a server may require the type, or detect it from the bytes
        shot = replace(shot, case=replace(shot.case, meant=Meant.ODD))
    yield shot


def _headers(told: Told) -> tuple[tuple[str, str], ...]:
    value = told["content_type"]
    sent = isinstance(value, str) and value.isascii() and value.isprintable()
    return (("content-type", value),) if sent else ()


def _is_text(value: object) -> bool:
    """Whether the value can be written as UTF-8, which a lone surrogate cannot."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
