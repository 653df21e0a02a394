"""Faults of the forms of completion prompts: lost, joined, swapped or not echoed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonogo.exchange import FailureKind
from gonogo.faults.editing import answer, answered, both, changed, frames, made, put, refused, silent
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import asked

if TYPE_CHECKING:
    from gonogo.faults.editing import Change

COUNT = "Count from one to ten."
TWICE = asked(f'POST /completions {{"max_tokens":2,"prompt":["{COUNT}","{COUNT}"]}}')
TWICE_STREAMED = asked(f'POST /completions {{"max_tokens":2,"prompt":["{COUNT}","{COUNT}"],"stream":true}}')
TWO_ECHOED = asked(
    'POST /completions {"echo":true,"max_tokens":2,"prompt":["One, two, three,","Red, green, blue,"]}'
)
TOKENS = asked('POST /completions {"max_tokens":2,"prompt":[1000,1001,1002]}')
TOKEN_LISTS = asked('POST /completions {"max_tokens":2,"prompt":[[1000,1001],[1002,1003]]}')
EMPTY = asked('POST /completions {"prompt":[]}')
ECHO = asked('POST /completions {"echo":true,"max_tokens":2,"prompt":"One, two, three,"}')
ECHO_LOGPROBS = asked(
    'POST /completions {"echo":true,"logprobs":1,"max_tokens":2,"prompt":"One, two, three,"}'
)
ECHO_ONLY = asked(
    'POST /completions {"echo":true,"max_tokens":0,"prompt":"One, two, three,","stop":[" ","a","e","o"]}'
)
SUFFIX = asked('POST /completions {"max_tokens":2,"suffix":" Done."}')
BEST_OF_ONE = asked('POST /completions {"best_of":1,"max_tokens":2,"n":2}')
NULLS = asked(
    'POST /completions {"best_of":null,"echo":null,"frequency_penalty":null,"logit_bias":null,"logprobs":null,'
    '"n":null,"presence_penalty":null,"seed":null,"stop":null,"stream":null,"stream_options":null,"suffix":null,'
    '"temperature":null,"top_p":null}'
)
NEUTRAL = asked(
    'POST /completions {"echo":false,"frequency_penalty":0,"n":1,"presence_penalty":0,"stream":false,'
    '"temperature":1,"top_p":1,"user":"gonogo"}'
)
STOP_STRING = asked('POST /completions {"stop":"gonogo-never"}')
STOP_LIST = asked('POST /completions {"stop":["gonogo-never","gonogo-not-at-all"]}')


def _swapped(old: Any) -> Any:  # noqa: ANN401 - JSON
    return [choice | {"index": 1 - choice["index"]} for choice in old]


def _first_only(old: list[bytes]) -> list[bytes]:
    return [frame for frame in old if b"[DONE]" in frame or not _second(frame)]


def _second(frame: bytes) -> bool:
    return any(choice["index"] == 1 for choice in json.loads(frame.removeprefix(b"data: "))["choices"])


def _tokens(name: str, count: int) -> Any:  # noqa: ANN401 - an edit of JSON
    def edit(value: Any) -> None:  # noqa: ANN401 - JSON
        usage = value["usage"]
        usage[name] = count
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]

    return edit


def _generated_only(value: Any) -> None:  # noqa: ANN401 - JSON
    """Only the generated tokens have log probabilities."""
    logprobs = value["choices"][0]["logprobs"]
    for name, values in logprobs.items():
        logprobs[name] = values[-value["usage"]["completion_tokens"] :]


FAULTS: tuple[Fault, ...] = (
    fault(
        "lists of prompts are refused",
        "modular/max#293",
        "completions.prompt.list",
        changed(TWICE, refused(400)),
    ),
    fault(
        "a list of prompts ends the server",
        "ml-explore/mlx-lm#1215",
        ("completions.prompt.list", "http.complete"),
        changed(TWICE, silent(FailureKind.RESET)),
    ),
    fault(
        "only the first of several prompts is answered",
        "lm-sys/FastChat#1306",
        "completions.prompt.list_choices",
        changed(TWICE, answer(made("choices", lambda old: old[:1]))),
    ),
    fault(
        "choices in the wrong order",
        "openai/openai-python#90",
        "completions.prompt.order",
        changed(TWO_ECHOED, answer(made("choices", _swapped))),
    ),
    fault(
        "only one prompt of a list is counted",
        "a count that is taken before the loop",
        "completions.prompt.list_usage",
        changed(TWICE, answer(_tokens("prompt_tokens", 23))),
    ),
    fault(
        "a stream of the first of several prompts",
        "a generator for one prompt",
        "completions.prompt.stream",
        changed(TWICE_STREAMED, frames(_first_only)),
    ),
    fault(
        "a choice for each token of a prompt",
        "a list that is taken for several prompts",
        "completions.prompt.tokens",
        changed(
            TOKENS, answer(made("choices", lambda old: [old[0] | {"index": index} for index in range(3)]))
        ),
    ),
    fault(
        "tokens that are read as text",
        'str([1000, 1001, 1002]) is "[1000, 1001, 1002]"',
        "completions.prompt.tokens_counted",
        changed(TOKENS, answer(_tokens("prompt_tokens", 18))),
    ),
    fault(
        "lists of tokens that are joined",
        "Ai00-X/ai00_server PR#169",
        "completions.prompt.token_lists",
        changed(TOKEN_LISTS, answer(made("choices", lambda old: old[:1]))),
    ),
    fault(
        "an empty list of prompts fails the server",
        "prompts[0] of none",
        "completions.harmless.prompt_empty",
        changed(EMPTY, refused(500)),
    ),
    fault(
        "echo is ignored",
        "ggml-org/llama.cpp#12591",
        "completions.echo.text",
        changed(ECHO, answer(put("choices.0.text", " four"))),
    ),
    fault(
        "the log probabilities of an echoed prompt are missing",
        "ggml-org/llama.cpp#27174",
        "completions.echo.logprobs",
        changed(ECHO_LOGPROBS, answer(_generated_only)),
    ),
    fault(
        "a log probability of the first token",
        "0.0 in place of null",
        "completions.echo.first_null",
        changed(ECHO_LOGPROBS, answer(put("choices.0.logprobs.token_logprobs.0", 0.0))),
    ),
    fault(
        "a limit of 0 that is treated as the default",
        '"max_tokens or 16"',
        "completions.echo.nothing_else",
        changed(ECHO_ONLY, answer(_tokens("completion_tokens", 2))),
    ),
    fault(
        "a suffix that is refused without its name",
        "vllm-project/vllm#9976",
        "completions.suffix.named",
        changed(SUFFIX, refused(400)),
    ),
    fault(
        "a suffix that is accepted and not read",
        "a parameter that nobody reads",
        "completions.suffix.named",
        changed(SUFFIX, answer(_tokens("prompt_tokens", 23))),
    ),
    fault(
        "a best_of below n fails the server",
        "an assertion on the way in",
        "completions.harmless.best_of_below_n",
        changed(BEST_OF_ONE, refused(500)),
    ),
    fault(
        "a best_of below n is accepted",
        "a parameter that nobody reads",
        "completions.refused.best_of_below_n",
        changed(
            BEST_OF_ONE,
            answered({"id": "x", "object": "text_completion", "created": 1_700_000_000, "choices": []}),
        ),
    ),
    fault(
        "nulls of a completion are refused",
        "LostRuins/koboldcpp#1503",
        "completions.request.nulls",
        changed(NULLS, refused(400)),
    ),
    fault(
        "defaults of a completion are refused",
        "xorbitsai/inference#2291",
        "completions.request.neutral",
        changed(NEUTRAL, refused(400)),
    ),
    fault(
        "a stop of a completion must be a list",
        "lm-sys/FastChat PR#1923",
        "completions.request.stop_string",
        changed(STOP_STRING, refused(400)),
    ),
    fault(
        "a stop of a completion must be a string",
        "mudler/LocalAI PR#153",
        "completions.request.stop_list",
        changed(STOP_LIST, refused(400)),
    ),
)

HARMLESS: dict[str, Change] = {
    "a suffix that is refused by its name": changed(
        SUFFIX, refused(400), answer(put("error.param", "suffix"))
    ),
    "a suffix for which there is no time": changed(SUFFIX, refused(429)),
    "echo that is refused": both(
        changed(ECHO, refused(400)),
        changed(TWO_ECHOED, refused(400)),
        changed(ECHO_LOGPROBS, refused(400)),
        changed(ECHO_ONLY, refused(400)),
    ),
    "lists of tokens that are refused": both(
        changed(TOKENS, refused(400)), changed(TOKEN_LISTS, refused(400))
    ),
    "a token that begins every text": changed(TOKENS, answer(_tokens("prompt_tokens", 5))),
    "an echo that does not echo in a list": changed(TWO_ECHOED, answer(put("choices.*.text", "x"))),
}
