"""The maximum cost of a whole run for its target: requests and generated tokens."""

from __future__ import annotations

import asyncio

import pytest
from gonogo.collect.plan import plan
from gonogo.rules import load
from gonogo.stimuli.life import baselines, is_sign_of_life
from gonogo.stimuli.listed import OTHERS
from gonogo.stimuli.surfaces import SURFACES, Surface
from ideal.running import record_run

MOST_REQUESTS = 240
MOST_TOKENS = 3000
MOST_OF_A_SURFACE = 12
GREETING = (2, 1)  # requests, tokens


def test_the_plan_of_all_rules_asks_for_little() -> None:
    asked = plan(load())
    assert asked.requests <= MOST_REQUESTS
    assert asked.tokens <= MOST_TOKENS


def test_a_run_sends_little_with_greeting_and_signs_of_life() -> None:
    asked = plan(load())
    sent = asyncio.run(record_run(load())).exchanges
    signs = sum(is_sign_of_life(exchange.stimulus) for exchange in sent)
    requests, tokens = GREETING
    beyond = OTHERS - 1 + 1  # the target lists one other model, and refuses no result in parts
    assert len(sent) == asked.requests + signs - beyond
    assert asked.requests + signs + requests <= MOST_REQUESTS
    assert asked.tokens + signs * baselines()[0].tokens + tokens <= MOST_TOKENS


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.noun)
def test_a_surface_that_keeps_the_contract_is_sent_12_requests_at_most(surface: Surface) -> None:
    stimuli = {stimulus.key for stimulus in plan(load()).stimuli if stimulus.endpoint in surface.operations}
    sent = [e for e in asyncio.run(record_run(load())).exchanges if e.stimulus in stimuli]
    assert len(sent) <= MOST_OF_A_SURFACE
