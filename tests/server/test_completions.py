"""Completions and their parameters: prompts in all forms, echo, suffix, biases and penalties."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.scripted import BEGIN, END, GAP, VOCABULARY, ScriptedEngine
from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import httpx2
    from gonogo_server.engine.base import ModelCard

    Body = dict[str, Any]
    Check = Callable[[str, object], None]
    Refused = Callable[..., Awaitable[dict[str, Any]]]

pytestmark = pytest.mark.anyio

ANSWER = "Hello! How can I help you today?"
CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}]}
FORCED = {"logit_bias": {"1000": 100}, "max_tokens": 2}


def text(**changes: object) -> Body:
    return {"model": "scripted", "prompt": "Hi", **changes}


async def asked(client: httpx2.AsyncClient, body: Body, path: str = "/completions") -> Body:
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


# ---- answers ---------------------------------------------------------------------------------------------


async def test_a_completion_has_sixteen_tokens_by_default(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await client.post("/completions", json=text())
    assert response.status_code == 200
    answer = response.json()
    keeps_contract("Completion", answer)
    assert answer["choices"] == [
        {"index": 0, "text": ANSWER[:16], "logprobs": None, "finish_reason": "length"}
    ]
    assert answer["usage"]["total_tokens"] == 19


async def test_a_completion_of_0_tokens_is_empty_and_does_not_use_the_engine(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    answer = (await client.post("/completions", json=text(max_tokens=0))).json()
    assert answer["choices"][0]["text"] == ""
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 0
    assert not engine.generations


@pytest.mark.parametrize("engine", [ScriptedEngine(answer=str.upper)])
async def test_several_prompts_have_a_choice_each(client: httpx2.AsyncClient, keeps_contract: Check) -> None:
    answer = (await client.post("/completions", json=text(prompt=["one", "two"]))).json()
    keeps_contract("Completion", answer)
    assert [(choice["index"], choice["text"]) for choice in answer["choices"]] == [(0, "ONE"), (1, "TWO")]
    assert answer["usage"]["prompt_tokens"] == 8
    assert answer["usage"]["completion_tokens"] == 8


@pytest.mark.parametrize(
    "changes",
    [
        {"n": 1, "best_of": 1},
        {"echo": False, "suffix": None, "logprobs": None, "logit_bias": None},
        {"suffix": ""},
        {"max_tokens": None},
        {"user": "ann"},
        {"frequency_penalty": 0, "presence_penalty": None, "seed": 1, "temperature": 0, "top_p": 1},
    ],
    ids=str,
)
async def test_a_completion_accepts_what_asks_for_nothing_more(
    client: httpx2.AsyncClient, changes: Body
) -> None:
    response = await client.post("/completions", json=text(**changes))
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"prompt": [1, VOCABULARY]}, "prompt", "invalid_value"),
        ({"prompt": [[1, 2], [10**30]]}, "prompt", "invalid_value"),
        ({"prompt": []}, "prompt", "invalid_value"),
        ({"prompt": ["a"] * 103, "best_of": 20}, "prompt", "invalid_value"),
        ({"best_of": 1, "n": 2}, "best_of", "invalid_value"),
        ({"best_of": 0}, "best_of", "invalid_value"),
        ({"best_of": 3, "n": 2, "stream": True}, "best_of", "invalid_value"),
        ({"suffix": ".", "echo": True}, "suffix", "invalid_value"),
        ({"logprobs": 6}, "logprobs", "invalid_value"),
        ({"stream_options": {}}, "stream_options", "invalid_value"),
        ({"stop": [""]}, "stop[0]", "invalid_value"),
        ({"max_tokens": 5000}, "prompt", "context_length_exceeded"),
        ({"prompt": ["a", "x" * 100_000]}, "prompt", "context_length_exceeded"),
        ({"prompt": [1] * 5000}, "prompt", "context_length_exceeded"),
        ({"prompt": [1] * 5000, "suffix": "."}, "prompt", "context_length_exceeded"),
        ({"max_tokens": -1}, "max_tokens", "invalid_value"),
        ({"messages": CHAT["messages"]}, "messages", "unknown_parameter"),
    ],
    ids=str,
)
async def test_a_completion_refuses_what_it_cannot_do(
    refused: Refused, changes: Body, param: str, code: str
) -> None:
    error = await refused("/completions", text(**changes))
    assert (error["param"], error["code"]) == (param, code)


class NoBegin(ScriptedEngine):
    """A model without a begin token, so that an empty text has no tokens."""

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        return (await super().encode(model, text))[1:]


@pytest.mark.parametrize("engine", [NoBegin()])
async def test_a_prompt_without_a_token_is_refused(refused: Refused) -> None:
    error = await refused("/completions", text(prompt=""))
    assert error["param"] == "prompt"


# ---- prompts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "tokens"),
    [
        ("Hi", [(BEGIN, 72, 105)]),
        ("", [(BEGIN,)]),
        (None, [(BEGIN,)]),
        (["a", ""], [(BEGIN, 97), (BEGIN,)]),
        ([72, 105], [(72, 105)]),
        ([[72], [105, 0]], [(72,), (105, 0)]),
    ],
    ids=str,
)
async def test_a_prompt_may_be_text_or_tokens_or_several_of_them(
    client: httpx2.AsyncClient, engine: ScriptedEngine, prompt: object, tokens: list[tuple[int, ...]]
) -> None:
    answer = await asked(client, text(prompt=prompt, max_tokens=1))
    assert [choice["index"] for choice in answer["choices"]] == list(range(len(tokens)))
    assert sorted(one.prompt for one in engine.generations) == sorted(tokens)
    assert answer["usage"]["prompt_tokens"] == sum(map(len, tokens))


async def test_an_id_that_the_model_does_not_have_is_named_with_the_size_of_the_vocabulary(
    refused: Refused,
) -> None:
    error = await refused("/completions", text(prompt=[1, VOCABULARY]))
    assert f"no token {VOCABULARY}:" in error["message"]
    assert f"below {VOCABULARY}" in error["message"]


class Lazy(ScriptedEngine):
    """Knows its vocabulary after the first call has loaded the model."""

    loaded = False

    def cards(self) -> Sequence[ModelCard]:
        cards = super().cards()
        return cards if self.loaded else [replace(card, vocabulary=0, loaded=False) for card in cards]

    async def encode(self, model: str, text: str) -> tuple[int, ...]:
        self.loaded = True
        return await super().encode(model, text)


@pytest.mark.parametrize("engine", [Lazy()], ids=["lazy"])
async def test_a_model_is_loaded_for_its_vocabulary_to_be_known(
    client: httpx2.AsyncClient, refused: Refused
) -> None:
    assert (await refused("/completions", text(prompt=[VOCABULARY])))["param"] == "prompt"
    await asked(client, text(prompt=[VOCABULARY - 1]))


# ---- echo ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "begins"),
    [("Né 👋", "Né 👋"), ([72, 1000, 105], f"H{chr(1000)}i"), ([BEGIN, 72], "H"), ([0xF0, 0x9F], "�")],
    ids=str,
)
async def test_an_echo_is_the_prompt_before_the_answer(
    client: httpx2.AsyncClient, keeps_contract: Check, prompt: object, begins: str
) -> None:
    answer = await asked(client, text(prompt=prompt, echo=True, max_tokens=5))
    keeps_contract("Completion", answer)
    assert answer["choices"][0]["text"] == begins + "Hello"
    assert answer["usage"]["completion_tokens"] == 5


async def test_a_stop_string_in_the_prompt_stops_nothing(client: httpx2.AsyncClient) -> None:
    answer = await asked(client, text(prompt="How", echo=True, stop="How", max_tokens=40))
    assert answer["choices"][0]["text"] == "HowHello! "


@pytest.mark.parametrize("prompt", ["Hé", [72, 0xC3, 0xA9]])
async def test_an_echo_has_the_log_probabilities_of_the_prompt_too(
    client: httpx2.AsyncClient, keeps_contract: Check, prompt: object
) -> None:
    answer = await asked(client, text(prompt=prompt, echo=True, logprobs=1, max_tokens=2))
    keeps_contract("Completion", answer)
    said = answer["choices"][0]["logprobs"]
    begin = [""] if isinstance(prompt, str) else []
    assert said["tokens"] == [*begin, "H", "bytes:\\xc3", "bytes:\\xa9", "H", "e"]
    assert said["text_offset"] == [*[0 for _ in begin], 0, 1, 1, 2, 3]
    assert said["token_logprobs"][0] is said["top_logprobs"][0] is None
    assert all(value < 0 for value in said["token_logprobs"][1:])


async def test_an_echo_of_no_new_token_scores_the_prompt_and_generates_nothing(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    answer = await asked(client, text(prompt=["one", "two"], echo=True, logprobs=1, max_tokens=0, n=2))
    assert [choice["text"] for choice in answer["choices"]] == ["one", "one", "two", "two"]
    assert all(len(choice["logprobs"]["tokens"]) == 4 for choice in answer["choices"])
    assert answer["usage"]["completion_tokens"] == 0
    assert not engine.generations


async def test_a_streamed_echo_comes_first_and_the_whole_is_the_same(client: httpx2.AsyncClient) -> None:
    body = text(echo=True, logprobs=2, max_tokens=3)
    response = await client.post("/completions", json={**body, "stream": True})
    *events, _ = response.text.removesuffix("\n\n").split("\n\n")
    chunks = [json.loads(event.removeprefix("data: "))["choices"][0] for event in events]
    assert chunks[0]["text"] == "Hi"
    whole = (await asked(client, body))["choices"][0]
    assert "".join(chunk["text"] for chunk in chunks) == whole["text"]
    tokens = [token for chunk in chunks for token in chunk["logprobs"]["tokens"]]
    assert tokens == whole["logprobs"]["tokens"]


async def test_an_echo_of_nothing_says_nothing_but_its_begin_token(client: httpx2.AsyncClient) -> None:
    answer = await asked(client, text(prompt="", echo=True, max_tokens=0))
    assert answer["choices"][0]["text"] == ""
    answer = await asked(client, text(prompt="", echo=True, logprobs=0, max_tokens=0))
    assert answer["choices"][0]["logprobs"]["tokens"] == [""]


# ---- suffix ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", ["Hi", [72, 105]])
async def test_a_suffix_makes_a_prompt_for_the_middle(
    client: httpx2.AsyncClient, engine: ScriptedEngine, prompt: object
) -> None:
    await asked(client, text(prompt=prompt, suffix="!", max_tokens=1))
    assert engine.generations[0].prompt == (BEGIN, 72, 105, GAP, 33)


class NoMiddle(ScriptedEngine):
    """A model that was not trained for infilling."""

    async def infill_prompt(self, model: str, prefix: str, suffix: str) -> tuple[int, ...]:
        raise BadRequest("The model cannot fill in the middle.", param="suffix")


@pytest.mark.parametrize("engine", [NoMiddle()], ids=["no middle"])
async def test_a_suffix_is_refused_by_name_where_the_model_cannot_use_it(
    client: httpx2.AsyncClient, refused: Refused
) -> None:
    assert (await refused("/completions", text(suffix="!")))["param"] == "suffix"
    await asked(client, text(suffix=""))


# ---- biases and penalties, of both operations ------------------------------------------------------------


async def test_sampling_reaches_the_engine_whole(client: httpx2.AsyncClient, engine: ScriptedEngine) -> None:
    changes = {
        "temperature": 0.5, "top_p": 0.25, "seed": 3, "presence_penalty": -2, "frequency_penalty": 1.5,
        "logit_bias": {"7": -100, "008": 3},
    }  # fmt: skip
    await asked(client, {**text(max_tokens=1), **changes})
    await asked(client, {**CHAT, **changes}, "/chat/completions")
    first, second = (generation.sampling for generation in engine.generations)
    assert first == second
    assert (first.temperature, first.top_p, first.seed) == (0.5, 0.25, 3)
    assert (first.presence_penalty, first.frequency_penalty) == (-2.0, 1.5)
    assert first.logit_bias == ((7, -100.0), (8, 3.0))


async def test_a_forced_token_is_generated_and_a_banned_one_is_not(client: httpx2.AsyncClient) -> None:
    forced = await asked(client, text(**FORCED))
    assert forced["choices"][0]["text"] == 2 * chr(1000)
    banned = await asked(client, text(logit_bias={str(ord("H")): -100, str(END): -100}, max_tokens=40))
    assert "H" not in banned["choices"][0]["text"]
    assert banned["choices"][0]["finish_reason"] == "length"


async def test_a_penalty_keeps_tokens_from_coming_again(client: httpx2.AsyncClient) -> None:
    plain = (await asked(client, text(max_tokens=20)))["choices"][0]["text"]
    penalised = await asked(client, text(max_tokens=20, frequency_penalty=2, presence_penalty=2))
    said = penalised["choices"][0]["text"]
    assert plain.count("l") == 3
    assert said.count("l") < 3


@pytest.mark.parametrize("key", [str(VOCABULARY), "9" * 40, "0" * 5000 + "9999", "9" * 5000])
@pytest.mark.parametrize(("path", "body"), [("/completions", text()), ("/chat/completions", CHAT)])
async def test_a_bias_of_a_token_that_the_model_does_not_have_is_refused(
    refused: Refused, path: str, body: Body, key: str
) -> None:
    error = await refused(path, {**body, "logit_bias": {key: 1}})
    assert (error["param"], error["code"]) == ("logit_bias", "invalid_value")
    assert len(error["message"]) < 200


@pytest.mark.parametrize("bias", [{"5": 101}, {"five": 1}, {"-1": 1}, {"1": 0.5}, [[5, 1]]], ids=str)
async def test_a_bias_that_the_schema_does_not_know_is_refused_by_name(
    refused: Refused, bias: object
) -> None:
    error = await refused("/completions", text(logit_bias=bias))
    assert error["param"].startswith("logit_bias")
