"""Several answers to one request: number, order, parallelism, and cost."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import openai
import pytest
from gonogo_server.answers.best import best
from gonogo_server.answers.generate import in_order, nth_seed
from gonogo_server.answers.stream import Finished, Started, Text
from gonogo_server.engine.base import Alternative, Generation, Piece, Sampling, Token
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import httpx2

    Body = dict[str, Any]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}]}
TEXT = {"model": "scripted", "prompt": "Hi", "max_tokens": 40}


class Numbered(ScriptedEngine):
    """Answers each request with its seed, which is less likely the greater it is; repeated prompts are cached."""

    async def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        cached = 2 if self.generations else 0
        self.generations.append(generation)
        seed = generation.sampling.seed
        assert seed is not None
        data = str(seed).encode()
        token = Token(Alternative(0, data, -0.1 * seed))
        reported = () if generation.logprobs is None else (token,)
        await asyncio.sleep(0)
        yield Piece(data.decode(), 1, cached=cached, logprobs=reported)
        yield Piece("", 1, "stop")


class LastFirst(ScriptedEngine):
    """Sends the first piece of the first answer after the second has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.second = asyncio.Event()

    async def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        if generation.sampling.seed == 0:
            await self.second.wait()
        else:
            self.second.set()
        yield Piece("a", 1)
        yield Piece("", 1, "stop")


async def asked(client: httpx2.AsyncClient, path: str, body: Body) -> Body:
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def streamed(client: httpx2.AsyncClient, path: str, body: Body) -> list[Body]:
    response = await client.post(path, json={**body, "stream": True})
    assert response.status_code == 200, response.text
    *chunks, done = response.text.removesuffix("\n\n").split("\n\n")
    assert done == "data: [DONE]"
    return [json.loads(chunk.removeprefix("data: ")) for chunk in chunks]


@pytest.mark.parametrize("n", [2, 128])
async def test_a_chat_has_as_many_choices_as_were_asked_for(
    client: httpx2.AsyncClient, keeps_contract: Check, n: int
) -> None:
    answer = await asked(client, "/chat/completions", {**CHAT, "n": n, "max_tokens": 2})
    keeps_contract("ChatCompletion", answer)
    assert [choice["index"] for choice in answer["choices"]] == list(range(n))
    assert {choice["message"]["content"] for choice in answer["choices"]} == {"He"}
    prompt = len("user: Hi\nassistant: ") + 1
    assert (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]) == (prompt, 2 * n)


@pytest.mark.parametrize(
    ("path", "body", "others"),
    [
        ("/chat/completions", CHAT, 0),
        ("/chat/completions", {**CHAT, "n": 100}, 99),
        ("/completions", {**TEXT, "best_of": 3}, 2),
        ("/completions", {**TEXT, "prompt": ["a", "b"], "n": 2}, 3),
    ],
)
async def test_one_answer_of_each_request_is_its_first_and_the_others_wait_behind_those(
    client: httpx2.AsyncClient, engine: ScriptedEngine, path: str, body: Body, others: int
) -> None:
    await asked(client, path, {**body, "max_tokens": 1})
    assert [one.first for one in engine.generations] == [True, *[False] * others]


@pytest.mark.parametrize(("path", "body"), [("/chat/completions", CHAT), ("/completions", TEXT)])
async def test_each_choice_of_a_stream_is_whole_and_they_take_turns(
    client: httpx2.AsyncClient, path: str, body: Body
) -> None:
    chunks = await streamed(client, path, {**body, "n": 3, "max_tokens": 4})
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    finished = [choice["index"] for choice in choices if choice["finish_reason"]]
    assert sorted(finished) == [0, 1, 2]
    assert {choice["index"] for choice in choices[:6]} == {0, 1, 2}
    for index in range(3):
        own = [choice for choice in choices if choice["index"] == index]
        assert "".join(c["text"] if "text" in c else c["delta"].get("content", "") for c in own) == "Hell"
        assert own[-1]["finish_reason"] == "length"
    assert len({chunk["id"] for chunk in chunks}) == 1


@pytest.mark.parametrize("engine", [ScriptedEngine(answer=str.upper)], ids=["upper"])
async def test_the_choices_of_several_prompts_are_numbered_through(client: httpx2.AsyncClient) -> None:
    answer = await asked(client, "/completions", {**TEXT, "prompt": ["one", "two"], "n": 2})
    texts = [(choice["index"], choice["text"]) for choice in answer["choices"]]
    assert texts == [(0, "ONE"), (1, "ONE"), (2, "TWO"), (3, "TWO")]
    assert answer["usage"]["prompt_tokens"] == 8
    assert answer["usage"]["completion_tokens"] == 16


@pytest.mark.parametrize("engine", [Numbered()], ids=["numbered"])
async def test_each_choice_has_a_seed_of_its_own_from_the_one_that_was_given(
    client: httpx2.AsyncClient,
) -> None:
    answer = await asked(client, "/chat/completions", {**CHAT, "n": 3, "seed": 7})
    assert [choice["message"]["content"] for choice in answer["choices"]] == ["7", "8", "9"]


def test_an_answer_that_has_begun_late_is_not_begun_again() -> None:
    begun: set[int] = set()
    assert list(in_order([Started(1), Text(1, "b")], begun)) == [Started(0), Started(1), Text(1, "b")]
    assert list(in_order([Started(0), Text(0, "a")], begun)) == [Text(0, "a")]
    assert list(in_order([Started(2)], begun)) == [Started(2)]


def test_seeds_go_round_in_a_circle() -> None:
    last = Generation((1,), 1, Sampling(seed=2**63 - 1))
    assert nth_seed(last, 1).sampling.seed == -(2**63)
    assert nth_seed(Generation((1,), 1, Sampling()), 1).sampling.seed is None


@pytest.mark.parametrize("engine", [LastFirst()], ids=["last first"])
async def test_choices_begin_in_order_in_a_stream_whichever_is_generated_first(
    client: httpx2.AsyncClient,
) -> None:
    chunks = await streamed(client, "/chat/completions", {**CHAT, "n": 2, "seed": 0})
    said = [(choice["index"], choice["delta"]) for chunk in chunks for choice in chunk["choices"]]
    assert said[:3] == [
        (0, {"role": "assistant", "content": ""}),
        (1, {"role": "assistant", "content": ""}),
        (1, {"content": "a"}),
    ]
    assert [index for index, delta in said if "role" in delta] == [0, 1]


@pytest.mark.parametrize("engine", [Numbered()], ids=["numbered"])
async def test_the_best_are_given_and_all_are_counted(
    client: httpx2.AsyncClient, engine: ScriptedEngine, keeps_contract: Check
) -> None:
    body = {**TEXT, "prompt": ["a", "b"], "n": 2, "best_of": 4, "seed": -3}
    answer = await asked(client, "/completions", body)
    keeps_contract("Completion", answer)
    # The smallest seed is the likeliest.
    assert [(c["index"], c["text"]) for c in answer["choices"]] == [
        (0, "-3"), (1, "-2"), (2, "-3"), (3, "-2"),
    ]  # fmt: skip
    assert answer["usage"]["completion_tokens"] == 16
    assert answer["usage"]["prompt_tokens"] == 4
    assert all(choice["logprobs"] is None for choice in answer["choices"])


@pytest.mark.parametrize("engine", [Numbered()], ids=["numbered"])
async def test_cached_tokens_of_a_prompt_are_counted_once_for_all_choices(client: httpx2.AsyncClient) -> None:
    first = await asked(client, "/chat/completions", {**CHAT, "n": 2, "seed": 0})
    second = await asked(client, "/chat/completions", {**CHAT, "n": 2, "seed": 0})
    assert first["usage"]["prompt_tokens_details"] == {"cached_tokens": 0}
    assert second["usage"]["prompt_tokens_details"] == {"cached_tokens": 2}


async def test_a_prompt_that_comes_again_is_cached(client: httpx2.AsyncClient) -> None:
    await asked(client, "/completions", TEXT)
    usage = (await asked(client, "/completions", {**TEXT, "prompt": "Hi!"}))["usage"]
    assert usage["prompt_tokens_details"] == {"cached_tokens": 3}


async def test_a_best_of_that_is_n_may_be_streamed(client: httpx2.AsyncClient) -> None:
    chunks = await streamed(client, "/completions", {**TEXT, "n": 2, "best_of": 2, "max_tokens": 1})
    assert {choice["index"] for chunk in chunks for choice in chunk["choices"]} == {0, 1}


def test_of_answers_that_are_alike_the_first_is_the_best_and_an_empty_one_the_last() -> None:
    steps = [
        *[Started(index) for index in range(3)],
        *[Text(index, str(index)) for index in (1, 2)],
        Finished(0, "stop"),
        Finished(1, "stop", mean_logprob=-1.0),
        Finished(2, "stop", mean_logprob=-1.0),
    ]
    kept = [step for step in best(steps, 2, 3) if isinstance(step, Text)]
    assert kept == [Text(0, "1"), Text(1, "2")]


async def test_the_official_client_puts_streamed_choices_and_their_log_probabilities_together(
    live: httpx2.AsyncClient,
) -> None:
    async with openai.AsyncOpenAI(base_url=str(live.base_url), api_key="any", max_retries=0) as client:
        async with client.chat.completions.stream(
            model="scripted", messages=[{"role": "user", "content": "Hi"}], n=2, logprobs=True, top_logprobs=2
        ) as stream:
            answer = await stream.get_final_completion()
        text = await client.completions.create(model="scripted", prompt=[72, 105], logprobs=1, echo=True)
    for choice in answer.choices:
        assert choice.logprobs is not None
        entries = choice.logprobs.content or []
        assert "".join(entry.token for entry in entries) == choice.message.content
        assert all(len(entry.top_logprobs) == 2 for entry in entries)
    [said] = text.choices
    assert said.logprobs is not None
    assert "".join(said.logprobs.tokens or []) == said.text


class Busy(ScriptedEngine):
    """Has room for two generations."""

    async def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        if self.running == 2:
            raise Overloaded("Too many requests wait already: ask again in a second.")
        async with aclosing(super().generate(model, generation)) as pieces:
            async for piece in pieces:
                yield piece


@pytest.mark.parametrize("engine", [Busy()], ids=["busy"])
async def test_a_request_with_one_choice_too_many_is_refused_before_anything_is_sent(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    response = await client.post("/chat/completions", json={**CHAT, "n": 4, "stream": True})
    assert response.status_code == 429
    assert response.headers["content-type"] == "application/json"
    assert engine.running == 0


class TestWithAGatedEngine:
    """Choices whose tokens come one by one, when the test lets them through."""

    @pytest.fixture
    def engine(self, gate: asyncio.Semaphore) -> ScriptedEngine:
        return ScriptedEngine(gate=gate.acquire)

    async def test_a_client_that_leaves_stops_every_choice(
        self, live: httpx2.AsyncClient, engine: ScriptedEngine, gate: asyncio.Semaphore
    ) -> None:
        gate.release()
        async with live.stream(
            "POST", "/chat/completions", json={**CHAT, "n": 4, "stream": True}
        ) as response:
            await anext(response.aiter_bytes())
            assert engine.running == 4
        while engine.running:  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)

    async def test_an_engine_that_dies_ends_them_all_with_one_error(
        self, live: httpx2.AsyncClient, engine: ScriptedEngine
    ) -> None:
        asking = asyncio.create_task(live.post("/chat/completions", json={**CHAT, "n": 4}))
        while engine.running < 4:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0)
        engine.die()
        assert (await asking).status_code == 503
        assert engine.running == 0
