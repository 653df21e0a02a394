"""Faults behind the gateway: the outcome of each is recorded, and some are played here."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from faults.behind_gateway import FILE, KEY, Outcome, of_musts, stage
from faults.gateway_table import COMMAND, PAGE, page
from faults.serving import PATIENCE, served, sound
from gonogo.faults.playing import found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faults.behind_gateway import Entry, Played
    from gonogo.rules import Catalogue

ENTRIES: dict[str, Entry] = json.loads(FILE.read_text("utf-8"))
PLAYED = {
    "chat streams without [DONE]": "pass",
    "n is ignored in chat completions": "pass",
    "a stream without its last chunk": "inconclusive",
}
"""A repaired fault, an emulated one, and one that ends in an error: the verdict of its first rule."""


@pytest.fixture(scope="module")
def played(catalogue: Catalogue) -> Mapping[str, Played]:
    async def play(base_url: str) -> Mapping[str, Played]:
        async with stage(base_url, catalogue, brief=True) as here:
            return {name: await here.play(found(name)[0]) for name in PLAYED}

    with served(sound(KEY, embedders=("embedder",))) as (base_url, _):
        return asyncio.run(asyncio.wait_for(play(base_url), 2 * PATIENCE))


@pytest.mark.parametrize("name", PLAYED)
def test_the_suite_is_go_on_the_gateway_in_front_of_a_server_with_a_fault(
    name: str, played: Mapping[str, Played]
) -> None:
    assert played[name].outcome is Outcome.GO
    assert PLAYED[name] in played[name].turned.values()


def test_no_fault_is_in_the_file_that_is_not_there_any_more() -> None:
    assert ENTRIES.keys() <= {fault.name for fault in of_musts()}, f"play them anew: {COMMAND} --anew"


def test_ninety_five_percent_of_faults_are_go_and_no_other_is_forwarded_or_hangs() -> None:
    ends = {name: entry["outcome"] for name, entry in ENTRIES.items()}
    assert len(ends) == len(list(of_musts()))
    assert list(ends.values()).count(Outcome.GO) >= 0.95 * len(ends)
    assert [name for name, end in ends.items() if end in {Outcome.PASSED_ON, Outcome.HANG}] == []


def test_the_page_about_them_says_what_the_file_says() -> None:
    assert PAGE.read_text("utf-8") == page(ENTRIES), f"the page is out of date; run {COMMAND}"
