"""Faults on the wire: a check of the broken server finds the rules of the fault, and no others."""

from __future__ import annotations

import asyncio
import json
from importlib import resources
from typing import TYPE_CHECKING

import httpx2
import pytest
from faults.fault import turned, verdicts
from faults.serving import PATIENCE, served, sound
from gonogo.collect.plan import plan
from gonogo.collection import Approach, collect
from gonogo.errors import UsageError
from gonogo.faults.kinds import Faulty
from gonogo.faults.playing import OTHERWISE, Playing, found, playable
from gonogo.faults.proxy import proxied
from gonogo.faults.sections import FAULTS
from gonogo.stimuli.life import is_sign_of_life

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.evidence import Record
    from gonogo.faults.fault import Fault
    from gonogo.rules import Catalogue

KEY = "a-key-of-the-tests"
PLAYED = (
    "chat streams without [DONE]",
    "fragments without an index",
    "chat completions answered with 201",
    "the same seed gives two texts",
    "a chat completion that goes on past its stop",
    "a stream that is cut in the middle of an event",
)
"""Edits of frames, of calls, of a head, of one of two answers, of one answer by another, and of the connection."""


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with served(sound(KEY)) as (url, _):
        yield url


def _check(base_url: str, playing: Playing, catalogue: Catalogue) -> Record:
    async def run() -> Record:
        async with proxied(base_url, playing) as broken:
            approach = Approach(broken, embedding_model="scripted", api_key=KEY, timeout=PATIENCE)
            (record,) = await collect(approach, plan(catalogue))
            return record

    return asyncio.run(asyncio.wait_for(run(), 2 * PATIENCE))


def test_without_a_fault_the_server_behind_the_proxy_is_judged_as_it_is(
    base_url: str, catalogue: Catalogue
) -> None:
    assert turned(verdicts(_check(base_url, Playing(Faulty()), catalogue), catalogue)) == set()


@pytest.mark.parametrize("name", PLAYED)
def test_a_played_fault_is_found_by_its_rules_and_by_no_others(
    base_url: str, name: str, catalogue: Catalogue
) -> None:
    (fault,) = found(name)
    record = _check(base_url, fault.begin(), catalogue)
    assert turned(verdicts(record, catalogue)) == fault.turns


def test_a_kind_of_fault_is_played_in_every_answer(base_url: str, catalogue: Catalogue) -> None:
    (fault,) = found("done-missing")
    record = _check(base_url, fault.begin(), catalogue)
    assert turned(verdicts(record, catalogue)) == {"chat.stream.done", "completions.stream.done"}


async def _said(base_url: str, fault: str, body: dict[str, object]) -> httpx2.Response:
    """The answer to a client that does not know the suite."""
    asked = {"model": "scripted", "messages": [{"role": "user", "content": "A question of mine."}], **body}
    async with (
        proxied(base_url, found(fault)[0].begin()) as broken,
        httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}, trust_env=False) as client,
    ):
        return await client.post(f"{broken}/chat/completions", json=asked)


def test_a_foreign_request_gets_the_fault_too(base_url: str) -> None:
    said = asyncio.run(_said(base_url, "chat.stream.done", {"stream": True, "temperature": 0.3}))
    assert said.status_code == 200
    assert b"[DONE]" not in said.content
    assert json.loads(said.content.split(b"\n\n")[0].removeprefix(b"data: "))["model"] == "scripted"


def test_a_foreign_request_of_another_form_is_answered_as_it_is(base_url: str) -> None:
    said = asyncio.run(_said(base_url, "chat.stream.done", {"max_tokens": 3}))
    assert said.json()["choices"][0]["message"]["content"] == "Hel"


def test_a_foreign_request_that_is_right_is_not_refused_by_a_fault_of_wrong_ones(base_url: str) -> None:
    said = asyncio.run(_said(base_url, "temperature string: a server error", {"temperature": 0.3}))
    assert said.status_code == 200


@pytest.mark.parametrize(
    ("fault", "body", "status"),
    [
        ("a developer message fails the server", {}, 200),
        (
            "a developer message fails the server",
            {"messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}]},
            500,
        ),
        ("max_completion_tokens is ignored", {"max_tokens": 3}, 200),
    ],
)
def test_a_foreign_request_fails_only_where_it_asks_for_what_the_server_fails_at(
    base_url: str, fault: str, body: dict[str, object], status: int
) -> None:
    assert asyncio.run(_said(base_url, fault, body)).status_code == status


def test_bytes_that_are_not_http_are_refused_and_the_connection_is_closed(base_url: str) -> None:
    async def send() -> bytes:
        async with proxied(base_url, Playing(Faulty())) as broken:
            url = httpx2.URL(broken)
            reader, writer = await asyncio.open_connection(url.host, url.port)
            writer.write(b"what is this\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer

    said = asyncio.run(asyncio.wait_for(send(), PATIENCE))
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"not a valid HTTP request" in said


@pytest.mark.parametrize("name", ["chat.stream.done", "clients.ai_sdk.errors"])
def test_a_misspelt_name_is_refused_with_similar_ones(name: str) -> None:
    with pytest.raises(UsageError, match=rf"no fault '{name}x'.*'{name}'"):
        found(f"{name}x")


def test_of_the_faults_of_a_rule_the_one_that_breaks_the_fewest_comes_first() -> None:
    faults = found("chat.stream.done")
    assert faults[0].turns == {"chat.stream.done"}
    assert all("chat.stream.done" in fault.turns for fault in faults)
    assert [len(fault.turns) for fault in faults] == sorted(len(fault.turns) for fault in faults)


def _only_lives(fault: Fault, clean: Record) -> bool:
    """Whether a fault changes only signs of life, which look like other requests."""
    before = {exchange.id: exchange for exchange in clean.exchanges}
    changed = [e for e in fault.change(clean).exchanges if before.get(e.id) != e]
    return all(is_sign_of_life(exchange.stimulus) for exchange in changed)


def test_the_faults_that_cannot_be_played_are_those_of_signs_of_life(clean: Record) -> None:
    listed = {fault.name for fault in playable() if fault.unplayable}
    assert {fault.name for fault in FAULTS if _only_lives(fault, clean)} == listed


def test_a_fault_that_a_run_finds_by_other_rules_is_played() -> None:
    otherwise = {fault.name: fault for fault in playable() if fault.otherwise}
    assert (
        otherwise.keys()
        == json.loads(resources.files("gonogo.faults").joinpath(OTHERWISE).read_text()).keys()
    )
    for fault in otherwise.values():
        assert fault.unplayable is None
        assert isinstance(fault.begin(), Playing)


def test_a_fault_that_cannot_be_played_says_why() -> None:
    unplayable = [fault for fault in playable() if fault.unplayable]
    assert unplayable
    for fault in unplayable:
        with pytest.raises(UsageError, match="cannot be played: "):
            fault.begin()
