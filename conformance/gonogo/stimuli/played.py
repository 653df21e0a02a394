"""Requests to a gateway whose upstream is the suite, and the keys of the upstream's exchanges.

An exchange with the key "upstream 1 of gateway stream: breaks" is the first request that the upstream received for the
stimulus "gateway stream: breaks": as it arrived, without credentials, and its answer.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.exchange import Request
from gonogo.reasons import Reason
from gonogo.stimuli import bodies, plays
from gonogo.stimuli.stimulus import Endpoint, NotPossible, Stimulus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.stimuli.stimulus import Subject

GROUP = "gateway"
"""The group of rules that read only the answers to these requests."""
SAW = "x-gonogo-saw"
"""A header that the upstream adds to recorded requests, about parts that it does not record."""
CLIENT_KEY = "the key of the client"
FIRST, SECOND = "first", "second"
"""The providers of the upstream, as it names them in `PROVIDER`."""
PROVIDER = "x-gonogo-provider"

_PREFIX = f"{GROUP} "
_SIGHT = re.compile(r"upstream (\d+) of (.+)")
_TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name, _ in plays.CALLS
]


def played(
    name: str,
    *,
    streamed: bool,
    number: int | None = None,
    usage: bool = False,
    left: bool = False,
    second: bool = False,
    alone: bool = False,
) -> Stimulus:
    """A chat whose upstream plays `name`; `left`: the client leaves at the first byte."""
    how = " ".join(
        ["stream" if streamed else "whole", *["usage"] * usage, *["left"] * left, *["second"] * second]
    )

    def build(subject: Subject, _: Mapping[str, Exchange]) -> Request:
        if second and subject.second_model is None:
            raise NotPossible(Reason.NO_SECOND_PROVIDER)
        model = subject.second_model if second else subject.model
        body: dict[str, object] = {
            "model": model,
            "messages": [{"role": "user", "content": plays.asking_for(name, number, how)}],
        }
        body |= {"stream": True} if streamed else {}
        body |= {"stream_options": {"include_usage": True}} if usage else {}
        body |= {"tools": _TOOLS} if name == "calls" else {}
        data = json.dumps(body | dict(subject.extra), ensure_ascii=False).encode()
        path = bodies.PATHS[Endpoint.CHAT]
        return Request("POST", path, bodies.JSON_HEADERS, data, enough=1 if left else None)

    return Stimulus(
        key=f"{_PREFIX}{how}: {name}{'' if number is None else f' {number}'}",
        endpoint=Endpoint.OTHER,
        build=build,
        streamed=streamed,
        valid=False,
        alone=alone,
    )


def key_of_sight(number: int, key: str) -> str:
    """The key of the request number `number`, from 1, that the upstream received for the stimulus with this key."""
    return f"upstream {number} of {key}"


def sight_of(key: str) -> str | None:
    """The key of the stimulus for an exchange of the upstream with this key; None if it is another key."""
    found = _SIGHT.fullmatch(key)
    return found[2] if found else None


def is_played(key: str) -> bool:
    """Whether an exchange with this key is the gateway's answer to one of these requests."""
    return key.startswith(_PREFIX)


def was_played(record: Record) -> bool:
    """Whether the run of this record had the suite's own upstream."""
    return any(is_played(key) for key in (*(e.stimulus for e in record.exchanges), *record.unsent))


@functools.lru_cache(maxsize=1 << 10)
def trace(key: str) -> Stimulus:
    """The stimulus of an upstream exchange for a judge: not valid, so that only its own rules read it."""
    return replace(bodies.list_models(), key=key, endpoint=Endpoint.OTHER, valid=False)
