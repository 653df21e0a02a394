"""Exchanges made by hand, and rules written in place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from gonogo.evidence import Record, Target
from gonogo.exchange import Chunk, Exchange, Failure, Headers, Request
from gonogo.judge import judge
from gonogo.rules import Catalogue
from gonogo.rules.catalogue import parse_feature

if TYPE_CHECKING:
    from gonogo.verdict import Because, Judgement

KEY = "POST /chat/completions {}"
JSON: Headers = (("Content-Type", "application/json"),)


class Make(Protocol):
    """Makes an exchange from the given parts, with defaults for the rest."""

    def __call__(
        self,
        body: Any = b"",  # noqa: ANN401 - bytes, or a value for JSON
        *,
        status: int | None = 200,
        key: str = KEY,
        headers: Headers = JSON,
        failure: Failure | None = None,
        name: str = "x1",
    ) -> Exchange:
        """An exchange whose body came in one piece."""


class Judge(Protocol):
    """Judges exchanges by one rule."""

    def __call__(
        self, steps: str, *exchanges: Exchange, level: str = "must", unsent: dict[str, Because] | None = None
    ) -> Judgement:
        """The judgement of a rule with these steps."""


@pytest.fixture(scope="session")
def make() -> Make:
    def make_exchange(
        body: Any = b"",  # noqa: ANN401 - as above
        *,
        status: int | None = 200,
        key: str = KEY,
        headers: Headers = JSON,
        failure: Failure | None = None,
        name: str = "x1",
    ) -> Exchange:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        chunks = (Chunk(0.25, data),) if data else ()
        return Exchange(name, key, Request("POST", "/x"), status, headers, chunks, failure, 0.5)

    return make_exchange


@pytest.fixture(scope="session")
def judged() -> Judge:
    def judge_by(
        steps: str, *exchanges: Exchange, level: str = "must", unsent: dict[str, Because] | None = None
    ) -> Judgement:
        lines = "\n".join(f"    {line}" for line in steps.splitlines())
        text = f"Feature: f\n  @{level} @a.b\n  Scenario: s\n    Source: s\n    Why: w\n{lines}\n"
        catalogue = Catalogue(parse_feature(text, "a.feature"))
        record = Record(Target("http://127.0.0.1/v1"), "", exchanges, unsent or {})
        (found,) = judge(record, tuple(catalogue), catalogue)
        return found

    return judge_by
