"""Requests to a gateway whose upstream is the suite, and the keys of the upstream's exchanges.

An exchange with the key "upstream 1 of gateway stream: breaks" is the first request that the upstream got for the
stimulus "gateway stream: breaks": as it arrived, credentials aside, and what was answered.
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
"""The rules that are about the answers to these requests, and about no others."""
SAW = "x-gonogo-saw"
"""A field that the upstream adds to the requests that it got: what it saw in them and does not write down."""
CLIENT_KEY = "the key of the client"
FIRST, SECOND = "first", "second"
"""The providers of the upstream, as its side names them in `PROVIDER`."""
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
    """A chat whose upstream plays `name`; `left` is one whose client leaves at the first byte."""
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
    """The key of the request with this number, from 1, that the upstream got for the stimulus of this key."""
    return f"upstream {number} of {key}"


def sight_of(key: str) -> str | None:
    """The key of the stimulus whose upstream's side has this key; None if it is the key of something else."""
    found = _SIGHT.fullmatch(key)
    return found[2] if found else None


def is_played(key: str) -> bool:
    """Whether an exchange of this key is the gateway's answer to one of these requests."""
    return key.startswith(_PREFIX)


def was_played(record: Record) -> bool:
    """Whether the run that made this record had an upstream of the suite's own."""
    return any(is_played(key) for key in (*(e.stimulus for e in record.exchanges), *record.unsent))


@functools.lru_cache(maxsize=1 << 10)
def trace(key: str) -> Stimulus:
    """What a judge sees in the place of the upstream's side: nobody's request but its own rules'."""
    return replace(bodies.list_models(), key=key, endpoint=Endpoint.OTHER, valid=False)
