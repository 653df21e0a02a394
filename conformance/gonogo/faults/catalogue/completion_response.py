"""Faults of whole completions."""

from __future__ import annotations

from gonogo.faults.editing import answer, body, changed, cut, header, made, put, raw, renamed
from gonogo.faults.fault import Fault, fault, under
from gonogo.faults.heads import wrong_heads
from gonogo.faults.picks import asked, but, holding, whole

COMPLETIONS = but(whole("/completions"), holding('"prompt":['))  # of one prompt
PLAIN = asked("POST /completions {}")
STOP = asked('POST /completions {"stop":"gonogo-never"}')  # an answer that no rule compares with another
LIMITED = asked('POST /completions {"max_tokens":2,"temperature":0}')

# One field of every answer, and the one rule about it.
_FIELDS = (
    ("completions without an id", "mudler/LocalAI#648", "id", cut("id")),
    ("completions with null as their id", "an id not known", "id", put("id", None)),
    ("every completion has one id", "LostRuins/koboldcpp#2481", "id_unique", put("id", "cmpl-1")),
    ("completions without object", "mudler/LocalAI#648", "object", cut("object")),
    (
        "completions that call themselves chats",
        "one handler for both",
        "object",
        put("object", "chat.completion"),
    ),
    ("completions without created", "mudler/LocalAI#648", "created", cut("created")),
    ("completions created at a float", "time.time() as it is", "created", put("created", 1_700_000_000.5)),
    ("completions created in milliseconds", "Date.now()", "seconds", put("created", 1_700_000_000_000)),
    ("completions without a model", "a handler that forgets it", "model", cut("model")),
    ("completions without choices", "a handler for chats only", "choices", renamed("choices", "results")),
    (
        "a string as a choice of a completion",
        "text in place of an object",
        "choices",
        put("choices.0", "Hello"),
    ),
    ("a completion with no choice at all", "xorbitsai/inference#2291", "one_choice", put("choices", [])),
    (
        "two choices of one prompt",
        "best_of candidates that are all returned",
        "one_choice",
        made("choices", lambda old: [old[0], old[0] | {"index": 1}]),
    ),
    ("choices of completions without an index", "mudler/LocalAI#648", "index", cut("choices.0.index")),
    (
        "choices of completions numbered from 1",
        "a language that counts from 1",
        "indexes",
        put("choices.0.index", 1),
    ),
    ("completions with a message", "qualcomm/GenieX PR#66", "text", renamed("choices.0.text", "message")),
    ("completions with null as text", "nothing generated", "text", put("choices.0.text", None)),
    (
        "no finish reason in a completion",
        "a handler that forgets it",
        "finish_reason",
        cut("choices.0.finish_reason"),
    ),
    (
        "null as the finish reason of a completion",
        "BerriAI/litellm#10686",
        "finish_reason",
        put("choices.0.finish_reason", None),
    ),
    (
        "choices of completions without logprobs",
        "a key that is left out while it is null",
        "logprobs",
        cut("choices.0.logprobs"),
    ),
    ("logprobs as a list", "kekzl/imp#1589", "logprobs", put("choices.0.logprobs", [-0.1])),
    (
        "a number as system_fingerprint of completions",
        "a hash as it is",
        "rest",
        put("system_fingerprint", 44709),
    ),
    ("completions without usage", "triton-inference-server/server#7796", "usage", cut("usage")),
    (
        "null counts in a completion's usage",
        "maximhq/bifrost#5425",
        "usage_schema",
        put("usage.completion_tokens", None),
    ),
    (
        "a completion's usage without a total",
        "a handler that forgets it",
        "usage_schema",
        cut("usage.total_tokens"),
    ),
    (
        "a completion's total that does not add up",
        "decolua/9router#3789",
        "usage_total",
        made("usage.total_tokens", lambda n: n + 1),
    ),
)

FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, imitates, f"completions.response.{rule}", changed(COMPLETIONS, answer(edit)))
        for name, imitates, rule, edit in _FIELDS
    ),
    *wrong_heads("completions", "completions.response", COMPLETIONS),
    fault(
        "a completion as bare text",
        "an endpoint from before the contract",
        under("completions.response", "content_type", "json"),
        changed(PLAIN, header("content-type", "text/plain"), body(b"Hello! H")),
    ),
    fault(
        "a completion with [DONE] after it",
        "decolua/9router#3492",
        "completions.response.json",
        changed(PLAIN, raw(lambda data: data + b"\n\ndata: [DONE]\n\n")),
    ),
    fault(
        "-Infinity in a completion",
        "madroidmaq/mlx-omni-server PR#56",
        "completions.response.json",
        changed(PLAIN, raw(lambda data: data.replace(b'"logprobs":null', b'"logprobs":-Infinity'))),
    ),
    fault(
        "eos_token as the finish reason of a completion",
        "huggingface/text-generation-inference#2466",
        "completions.response.finish_reason",
        changed(but(COMPLETIONS, LIMITED), answer(put("choices.0.finish_reason", "eos_token"))),
    ),
    fault(
        "null as the usage of a completion",
        "mudler/LocalAI PR#465",
        "completions.response.usage",
        changed(COMPLETIONS, answer(put("usage", None))),
    ),
    fault(
        "null as the details of a count of a completion",
        "a model dumped with its empty fields",
        "completions.response.nulls",
        changed(COMPLETIONS, answer(put("usage.prompt_tokens_details", None))),
    ),
    fault(
        "prompt tokens of completions that are never counted",
        "openvinotoolkit/model_server#2626",
        "completions.response.usage_prompt",
        changed(STOP, answer(lambda value: value["usage"].update(prompt_tokens=0, total_tokens=8))),
    ),
    fault(
        "max_tokens is ignored in completions",
        "triton-inference-server/server#7796",
        "completions.limit.max_tokens",
        changed(
            LIMITED, answer(put("usage.completion_tokens", 16), made("usage.total_tokens", lambda n: n + 14))
        ),
    ),
    fault(
        "completions created when the server began",
        "a time that is read once",
        "completions.response.now",
        changed(COMPLETIONS, answer(put("created", 1_699_990_000))),
    ),
    fault(
        "stop as the finish reason of every completion",
        "triton-inference-server/server#7796",
        "completions.limit.length",
        changed(COMPLETIONS, answer(put("choices.0.finish_reason", "stop"))),
    ),
)
