"""Faults of whole chat completions."""

from __future__ import annotations

from gonogo.faults.editing import answer, answered, body, changed, cut, header, made, put, raw, renamed
from gonogo.faults.fault import Fault, fault, under
from gonogo.faults.heads import wrong_heads
from gonogo.faults.picks import asked, but, either, whole

CHATS = whole("/chat/completions")
PLAIN = asked("POST /chat/completions {}")
STOP = asked('POST /chat/completions {"stop":"gonogo-never"}')  # an answer that no rule compares with another
LIMITED = either(
    asked('POST /chat/completions {"max_tokens":2,"temperature":0}'),
    asked('POST /chat/completions {"max_completion_tokens":2}'),
)


def _cached(usage: dict[str, int]) -> dict[str, int]:
    return usage | {"prompt_tokens": 1, "total_tokens": 1 + usage["completion_tokens"]}


# One field of every answer, and the one rule about it.
_FIELDS = (
    ("chat answers without an id", "softwaremill/sttp-ai#338", "id", cut("id")),
    ("chat answers with null as their id", "kevinhermawan/swift-llm-chat-openai#18", "id", put("id", None)),
    ("chat answers with a number as their id", "a counter as it is", "id", put("id", 17)),
    ("every chat answer has one id", "LostRuins/koboldcpp#2481", "id_unique", put("id", "chatcmpl-1")),
    ("chat answers without object", "SecretiveShell/MCP-Bridge#48", "object", cut("object")),
    (
        "chat.completions as object",
        "ml-explore/mlx-examples PR#1119",
        "object",
        put("object", "chat.completions"),
    ),
    (
        "text_completion as object of a chat",
        "one handler for both",
        "object",
        put("object", "text_completion"),
    ),
    ("chat answers without created", "a handler that forgets it", "created", cut("created")),
    ("chat answers created at a float", "time.time() as it is", "created", put("created", 1_700_000_000.5)),
    ("chat answers created at a string", "a time stamp as text", "created", put("created", "1700000000")),
    ("chat answers created in milliseconds", "Date.now()", "seconds", put("created", 1_700_000_000_000)),
    (
        "chat answers created when the server began",
        "a time that is read once",
        "now",
        put("created", 1_699_990_000),
    ),
    ("chat answers created in 1970", "a clock that was never read", "seconds", put("created", 0)),
    ("chat answers without a model", "ggml-org/llama.cpp#10056", "model", cut("model")),
    ("chat answers with null as their model", "a name not known", "model", put("model", None)),
    ("chat answers without choices", "langchain-ai/langchain#32252", "choices", cut("choices")),
    ("chat answers with null as choices", "langchain-ai/langchain#32252", "choices", put("choices", None)),
    ("choices as a map", "a dictionary as it is", "choices", made("choices", lambda old: {"0": old[0]})),
    ("a string as a choice", "text in place of an object", "choices", put("choices.0", "Hello")),
    (
        "a chat answer with no choice at all",
        "runpod-workers/worker-vllm#57",
        "one_choice",
        put("choices", []),
    ),
    ("choices without an index", "mudler/LocalAI#648", "index", cut("choices.0.index")),
    ("choices with a string as index", "an index as text", "index", put("choices.0.index", "0")),
    ("choices numbered from 1", "a language that counts from 1", "indexes", put("choices.0.index", 1)),
    (
        "choices without a message",
        "a stream's delta folded",
        "message",
        renamed("choices.0.message", "delta"),
    ),
    ("a string as message", "text in place of an object", "message", put("choices.0.message", "Hello")),
    (
        "annotations that are not a list",
        "a map of notes",
        "message",
        put("choices.0.message.annotations", {}),
    ),
    ("messages without a role", "a handler that forgets it", "role", cut("choices.0.message.role")),
    (
        "messages of the role user",
        "an echo of the question's role",
        "role",
        put("choices.0.message.role", "user"),
    ),
    ("messages of the role model", "Gemini's name for it", "role", put("choices.0.message.role", "model")),
    ("messages without content", "ml-explore/mlx-lm#1738", "content", cut("choices.0.message.content")),
    (
        "content in parts in an answer",
        "the request's form given back",
        "content",
        put("choices.0.message.content", [{"type": "text", "text": "Hello"}]),
    ),
    ("messages without refusal", "mlcommons/endpoints#133", "refusal", cut("choices.0.message.refusal")),
    ("a number as refusal", "a score for the words", "refusal", put("choices.0.message.refusal", 0.1)),
    (
        "an empty list of tool calls",
        "github/copilot-sdk#616",
        "tool_calls",
        put("choices.0.message.tool_calls", []),
    ),
    (
        "no finish reason in an answer",
        "waybarrios/vllm-mlx#628",
        "finish_reason",
        cut("choices.0.finish_reason"),
    ),
    (
        "null as the finish reason of an answer",
        "BerriAI/litellm#10686",
        "finish_reason",
        put("choices.0.finish_reason", None),
    ),
    (
        '"" as the finish reason of an answer',
        "ollama/ollama#4357",
        "finish_reason",
        put("choices.0.finish_reason", ""),
    ),
    ("choices without logprobs", "openai/openai-openapi#433", "logprobs", cut("choices.0.logprobs")),
    (
        "logprobs in the form of completions",
        "vllm-project/vllm#3179",
        "logprobs",
        put(
            "choices.0.logprobs",
            {"tokens": ["H"], "token_logprobs": [-0.1], "top_logprobs": [], "text_offset": [0]},
        ),
    ),
    ("a number as system_fingerprint", "a hash as it is", "rest", put("system_fingerprint", 44709)),
    ("an invented service tier", "a gateway's own name", "rest", put("service_tier", "turbo")),
    ("chat answers without usage", "openvinotoolkit/model_server#2626", "usage", cut("usage")),
    ("null counts in usage", "maximhq/bifrost#5425", "usage_schema", put("usage.completion_tokens", None)),
    (
        "counts in usage as strings",
        "a template that quotes",
        "usage_schema",
        put("usage.prompt_tokens", "41"),
    ),
    ("usage without a total", "a handler that forgets it", "usage_schema", cut("usage.total_tokens")),
    (
        "a total that leaves tokens out",
        "openai/openai-python#2544",
        "usage_total",
        made("usage.total_tokens", lambda n: n + 310),
    ),
    ("a total of 0", "decolua/9router#3789", "usage_total", put("usage.total_tokens", 0)),
    (
        "completion tokens that are never counted",
        "triton-inference-server/server#7796",
        "usage_completion",
        lambda value: value["usage"].update(
            completion_tokens=0, total_tokens=value["usage"]["prompt_tokens"]
        ),
    ),
)


def _no_counts(value: dict[str, dict[str, int]]) -> None:
    value["usage"] = {name: 0 for name in value["usage"] if not name.endswith("_details")}


def _more_tokens(value: dict[str, dict[str, int]]) -> None:
    usage = value["usage"]
    usage.update(completion_tokens=16, total_tokens=usage["prompt_tokens"] + 16)


def _negative(value: dict[str, dict[str, int]]) -> None:
    usage = value["usage"]
    usage.update(completion_tokens=-1, total_tokens=usage["prompt_tokens"] - 1)


FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, imitates, f"chat.response.{rule}", changed(CHATS, answer(edit)))
        for name, imitates, rule, edit in _FIELDS
    ),
    *wrong_heads("chat completions", "chat.response", CHATS),
    fault(
        "chat completions without a Date that were created when the server began",
        "a small server of one's own, whose clock only the recorder knows",
        "chat.response.now",
        changed(CHATS, header("date", None), answer(put("created", 1_699_990_000))),
    ),
    fault(
        "cached prompt tokens are not counted",
        "the count of what was read anew (prompt_eval_count)",
        "chat.response.usage_repeats",
        changed(STOP, answer(made("usage", _cached))),
    ),
    fault(
        "chat completions as text/event-stream",
        "a header that is set before stream is read",
        "chat.response.content_type",
        changed(CHATS, header("content-type", "text/event-stream")),
    ),
    fault(
        "chat completions without a content type",
        "a raw handler",
        "chat.response.content_type",
        changed(CHATS, header("content-type", None)),
    ),
    fault(
        "NaN in a chat completion",
        "sgl-project/sglang#5984",
        "chat.response.json",
        changed(PLAIN, raw(lambda data: data.replace(b'"logprobs":null', b'"logprobs":NaN'))),
    ),
    fault(
        "an empty body with status 200",
        "LostRuins/koboldcpp#2481, item B",
        "chat.response.json",
        changed(PLAIN, body(b"")),
    ),
    fault(
        "a JSON string that holds the JSON",
        "an object that is encoded twice",
        "chat.response.json",
        changed(PLAIN, body(b'"{\\"choices\\": []}"')),
    ),
    fault(
        "an error inside of a 200",
        "Aider-AI/aider#3550, langgenius/dify#9197",
        under("chat.response", "id", "object", "created", "model", "choices", "usage"),
        changed(PLAIN, answered({"error": {"message": "No.", "type": "x", "param": None, "code": None}})),
    ),
    fault(
        "an empty id of a chat completion",
        "huggingface/text-generation-inference#1782",
        under("chat.response", "id_not_empty", "id_unique"),
        changed(CHATS, answer(put("id", ""))),
    ),
    fault(
        "an empty id of one chat completion",
        "huggingface/text-generation-inference#1782",
        "chat.response.id_not_empty",
        changed(STOP, answer(put("id", ""))),
    ),
    fault(
        "an empty model in chat completions",
        "triton-inference-server/server#7796",
        ("chat.response.model_not_empty", "chat.stream.model_agrees"),
        changed(CHATS, answer(put("model", ""))),
    ),
    fault(
        "an empty model in one chat completion",
        "triton-inference-server/server#7796",
        "chat.response.model_not_empty",
        changed(STOP, answer(put("model", ""))),
    ),
    fault(
        "two choices instead of one",
        "best_of candidates that are all returned",
        "chat.response.one_choice",
        changed(CHATS, answer(made("choices", lambda old: [old[0], old[0] | {"index": 1}]))),
    ),
    fault(
        "eos_token as the finish reason",
        "huggingface/text-generation-inference#2466",
        ("chat.response.finish_reason", "chat.limit.length"),
        changed(CHATS, answer(put("choices.0.finish_reason", "eos_token"))),
    ),
    fault(
        "eos_token as the finish reason of an answer that ended by itself",
        "huggingface/text-generation-inference#2466",
        "chat.response.finish_reason",
        changed(but(CHATS, LIMITED), answer(put("choices.0.finish_reason", "eos_token"))),
    ),
    fault(
        "null as the usage of a chat completion",
        "mudler/LocalAI PR#465",
        "chat.response.usage",
        changed(CHATS, answer(put("usage", None))),
    ),
    fault(
        "null as the annotations of a message",
        "a model dumped with its empty fields",
        "chat.response.nulls",
        changed(CHATS, answer(put("choices.0.message.annotations", None))),
    ),
    fault(
        "null as the details of a count",
        "a model dumped with its empty fields",
        "chat.response.nulls",
        changed(CHATS, answer(put("usage.prompt_tokens_details", None))),
    ),
    fault(
        "a negative count",
        "Tencent/WeKnora PR#2980",
        "chat.response.usage_schema",
        changed(STOP, answer(_negative)),
    ),
    fault(
        "prompt tokens that are never counted",
        "openvinotoolkit/model_server#2626",
        "chat.response.usage_prompt",
        changed(
            STOP,
            answer(lambda value: value["usage"].update(prompt_tokens=0, total_tokens=8)),
        ),
    ),
    fault(
        "every count 0",
        "LostRuins/koboldcpp#603",
        ("chat.response.usage_prompt", "chat.response.usage_completion", "chat.stream.usage_agrees"),
        changed(CHATS, answer(_no_counts)),
    ),
    fault(
        "more tokens of reasoning than of the completion",
        "the Gemini compatible endpoint counts thoughts beside the completion (softwaremill/sttp-ai#338)",
        "chat.response.usage_details",
        changed(STOP, answer(put("usage.completion_tokens_details", {"reasoning_tokens": 310}))),
    ),
    fault(
        "more cached tokens than the prompt has",
        "APIs that count what is cached beside the prompt, passed through by a gateway",
        "chat.response.usage_details",
        changed(STOP, answer(put("usage.prompt_tokens_details", {"cached_tokens": 4096}))),
    ),
    fault(
        "tool_calls as the finish reason of a text",
        "a parser that saw the marker of a call, and could not read the call",
        "chat.response.finish_called",
        changed(STOP, answer(put("choices.0.finish_reason", "tool_calls"))),
    ),
    fault(
        "max_tokens is ignored",
        "dtzp555-max/ocp#470",
        "chat.limit.max_tokens",
        changed(asked('POST /chat/completions {"max_tokens":2,"temperature":0}'), answer(_more_tokens)),
    ),
    fault(
        "max_completion_tokens is ignored",
        "abetlen/llama-cpp-python#1907",
        "chat.limit.max_completion_tokens",
        changed(asked('POST /chat/completions {"max_completion_tokens":2}'), answer(_more_tokens)),
    ),
    fault(
        "stop as the finish reason of everything",
        "mudler/LocalAI#3533",
        ("chat.limit.length", "text.same_reason"),
        changed(CHATS, answer(put("choices.0.finish_reason", "stop"))),
    ),
)
