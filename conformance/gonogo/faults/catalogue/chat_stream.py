"""Faults of streamed chat completions."""

from __future__ import annotations

from typing import Any

from gonogo.faults.catalogue import chat_stream_end
from gonogo.faults.editing import (
    DONE,
    body,
    changed,
    copied,
    cut,
    each,
    event,
    finishes,
    has_choice,
    has_usage,
    header,
    inserted,
    nth,
    numbered,
    put,
    raw,
    renamed,
    unless_finishing,
    without,
)
from gonogo.faults.fault import Fault, fault, under
from gonogo.faults.picks import asked, streamed

STREAMS = streamed("/chat/completions")
PLAIN = asked('POST /chat/completions {"stream":true}')
GREEDY = asked(
    'POST /chat/completions {"max_tokens":24,"stream":true,"temperature":0}'
)  # compared by its text only
LIMITED = asked(
    'POST /chat/completions {"max_tokens":2,"stream":true,"stream_options":{"include_usage":true},"temperature":0}'
)

DELTA = "choices.*.delta"

# One field of every chunk, and the one rule about it.
_CHUNKS = (
    ("chunks without an id", "openvinotoolkit/model_server#3553", "id", cut("id")),
    ("chunks with null as their id", "kevinhermawan/swift-llm-chat-openai#18", "id", put("id", None)),
    ("chunks with a number as their id", "a counter as it is", "id", put("id", 17)),
    ("chunks without object", "NVIDIA/TensorRT-Edge-LLM#93", "object", cut("object")),
    (
        "chunks that call themselves chat.completion",
        "one literal for both",
        "object",
        put("object", "chat.completion"),
    ),
    (
        "chat.completions.chunk as object",
        "ml-explore/mlx-examples PR#1119",
        "object",
        put("object", "chat.completions.chunk"),
    ),
    ("chunks without created", "a handler that forgets it", "created", cut("created")),
    ("chunks created at a float", "time.time() as it is", "created", put("created", 1_700_000_000.5)),
    ("chunks created at a string", "a time stamp as text", "created", put("created", "1700000000")),
    ("chunks without a model", "a handler that forgets it", "model", cut("model")),
    ("chunks with null as their model", "a name not known", "model", put("model", None)),
    ("a number as system_fingerprint of chunks", "a hash as it is", "rest", put("system_fingerprint", 44709)),
    ("a number as obfuscation", "a length in place of the padding", "rest", put("obfuscation", 0)),
)

# The same for chunks that have a choice.
_CHOICES = (
    ("choices of chunks without an index", "BerriAI/litellm#14429", "index", cut("choices.0.index")),
    ("choices of chunks with null as index", "an index not known", "index", put("choices.0.index", None)),
    (
        "chunks with a message in place of a delta",
        "the whole answer's form",
        "delta",
        renamed("choices.0.delta", "message"),
    ),
    ("null as delta", "nothing to add", "delta", put("choices.0.delta", None)),
)


def _id_of_its_own(number: int, value: Any) -> None:  # noqa: ANN401 - JSON
    value["id"] += f"-{number}"


def _later(number: int, value: Any) -> None:  # noqa: ANN401 - JSON
    value["created"] += number


def _role(value: Any) -> None:  # noqa: ANN401 - JSON
    for choice in value["choices"]:
        choice["delta"]["role"] = "assistant"


def _empty(value: Any) -> None:  # noqa: ANN401 - JSON
    for choice in value["choices"]:
        choice["delta"] = {name: "" if name == "content" else part for name, part in choice["delta"].items()}


AZURE = event(
    {
        "id": "",
        "object": "",
        "created": 0,
        "model": "",
        "choices": [],
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}],
    }
)

FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, imitates, f"chat.stream.{rule}", changed(STREAMS, each(edit)))
        for name, imitates, rule, edit in _CHUNKS
    ),
    *(
        fault(name, imitates, f"chat.stream.{rule}", changed(STREAMS, each(edit, where=has_choice)))
        for name, imitates, rule, edit in _CHOICES
    ),
    fault(
        "deltas with a list as content",
        "the request's form given back",
        "chat.stream.delta",
        changed(
            STREAMS, each(unless_finishing(put("choices.*.delta.content", [{"type": "text", "text": "H"}])))
        ),
    ),
    fault(
        "choices of chunks without finish_reason",
        "a key that is left out while it is null",
        "chat.stream.finish_reason",
        changed(STREAMS, each(unless_finishing(cut("choices.*.finish_reason")))),
    ),
    # ---- events
    fault(
        "an empty stream with status 200",
        "nodetool-ai/nodetool PR#5755",
        "chat.stream.events",
        changed(STREAMS, body(b"")),
    ),
    fault(
        "a stream of [DONE] alone",
        "a generator that yields nothing",
        "chat.stream.events",
        changed(STREAMS, body(DONE)),
    ),
    fault(
        "a stream of comments alone",
        "pings until the time is up, and nothing more",
        under("chat.stream", "events", "done"),
        changed(STREAMS, body(b": ping\n\n: ping\n\n")),
    ),
    fault(
        "a whole answer instead of a stream",
        "stream that is accepted and ignored",
        ("chat.stream.events", "stream.content_type"),
        changed(
            STREAMS,
            header("content-type", "application/json"),
            body(b'{"object":"chat.completion","choices":[]}'),
        ),
    ),
    # ---- the end
    fault(
        "chat streams without [DONE]",
        "huggingface/text-generation-inference#1896",
        "chat.stream.done",
        changed(STREAMS, without(-1)),
    ),
    fault(
        "one chat stream of several without [DONE]",
        "oobabooga/textgen#4778, sent intermittently",
        "chat.stream.done",
        changed(LIMITED, without(-1)),
    ),
    fault(
        "[DONE] twice",
        "a gateway that adds its own",
        "chat.stream.done",
        changed(STREAMS, raw(lambda data: data + DONE)),
    ),
    fault(
        "[done] in small letters",
        "a literal from memory",
        ("chat.stream.done", "stream.json"),
        changed(STREAMS, raw(lambda data: data.replace(b"[DONE]", b"[done]"))),
    ),
    fault(
        "[DONE] as a JSON string",
        "a terminator that is encoded like the rest",
        ("chat.stream.done", "stream.json"),
        changed(STREAMS, raw(lambda data: data.replace(b"[DONE]", b'"[DONE]"'))),
    ),
    fault(
        "[DONE] without data:",
        "the terminator as a line of its own",
        ("chat.stream.done", "stream.fields", "stream.no_empty_events"),
        changed(STREAMS, raw(lambda data: data.replace(b"data: [DONE]", b"[DONE]"))),
    ),
    # ---- ids, times, models
    fault(
        "another id for each chunk",
        "microsoft/foundry-local#144, BerriAI/litellm#1571",
        "chat.stream.same_id",
        changed(STREAMS, numbered(_id_of_its_own)),
    ),
    fault(
        "another id for the last chunk",
        "open-webui/open-webui#23917",
        "chat.stream.same_id",
        changed(STREAMS, nth(-2, put("id", "chatcmpl-x"))),
    ),
    fault(
        "an empty id in one stream",
        "huggingface/text-generation-inference#1782",
        "chat.stream.id_not_empty",
        changed(GREEDY, each(put("id", ""))),
    ),
    fault(
        "an empty id in every stream",
        "huggingface/text-generation-inference#1782",
        under("chat.stream", "id_not_empty", "id_unique"),
        changed(STREAMS, each(put("id", ""))),
    ),
    fault(
        "every stream has one id",
        "LostRuins/koboldcpp#2481",
        "chat.stream.id_unique",
        changed(STREAMS, each(put("id", "chatcmpl-1"))),
    ),
    fault(
        "chunks created in milliseconds",
        "Date.now()",
        "chat.stream.seconds",
        changed(STREAMS, each(put("created", 1_700_000_000_000))),
    ),
    fault(
        "chunks created in 1970",
        "a clock that was never read",
        "chat.stream.seconds",
        changed(STREAMS, each(put("created", 0))),
    ),
    fault(
        "chunks created when they are sent",
        "time.time() for each chunk",
        "chat.stream.same_created",
        changed(STREAMS, numbered(_later)),
    ),
    fault(
        "an empty model in the last chunk",
        "a struct that is filled again",
        "chat.stream.same_model",
        changed(STREAMS, nth(-2, put("model", ""))),
    ),
    fault(
        "streams name another model than whole answers",
        "vllm-project/vllm PR#15938",
        "chat.stream.model_agrees",
        changed(STREAMS, each(put("model", "gpt-3.5-turbo"))),
    ),
    # ---- choices
    fault(
        "null as choices of a chunk",
        "ROCm/ATOM PR#1711",
        "chat.stream.choices",
        changed(PLAIN, nth(3, put("choices", None))),
    ),
    fault(
        "the usage chunk without choices",
        "Mintplex-Labs/anything-llm PR#6380",
        "chat.stream.choices",
        changed(STREAMS, each(cut("choices"), where=has_usage)),
    ),
    fault(
        "null as choices of the usage chunk",
        "ollama/ollama PR#6784",
        "chat.stream.choices",
        changed(STREAMS, each(put("choices", None), where=has_usage)),
    ),
    fault(
        "a chunk without choices that carries no usage",
        "simonw/llm#294",
        "chat.stream.has_choices",
        changed(STREAMS, copied(0, 0, put("choices", []))),
    ),
    fault(
        "the empty first chunk of content filters",
        "run-llama/llama_index#7640, pydantic/pydantic-ai#164",
        under(
            "chat.stream",
            "has_choices",
            "id_not_empty",
            "same_id",
            "object",
            "seconds",
            "same_created",
            "same_model",
        ),
        changed(GREEDY, inserted(0, AZURE)),
    ),
    # ---- deltas
    fault(
        "null as role of later deltas",
        "a struct without omitempty",
        "chat.stream.nulls",
        changed(STREAMS, nth(3, put(f"{DELTA}.role", None))),
    ),
    fault(
        "null as the tool calls of deltas",
        "a struct without omitempty",
        "chat.stream.nulls",
        changed(GREEDY, nth(3, put(f"{DELTA}.tool_calls", None))),
    ),
    fault(
        '"" as role of later deltas',
        "a struct without omitempty",
        "chat.stream.role",
        changed(STREAMS, nth(3, put(f"{DELTA}.role", ""))),
    ),
    fault(
        "bot as role",
        "another API's word",
        under("chat.stream", "role", "role_first"),
        changed(STREAMS, nth(0, put(f"{DELTA}.role", "bot"))),
    ),
    fault(
        "no delta has a role",
        "langwatch/langwatch#6196",
        "chat.stream.role_first",
        changed(STREAMS, nth(0, cut(f"{DELTA}.role"))),
    ),
    fault(
        "the role comes with the second delta",
        "a first chunk that only opens the connection",
        under("chat.stream", "role_first", "role_once"),
        changed(STREAMS, nth(0, cut(f"{DELTA}.role")), nth(1, put(f"{DELTA}.role", "assistant"))),
    ),
    fault(
        "every delta has the role",
        "BerriAI/litellm PR#9986, ollama/ollama#7626",
        "chat.stream.role_once",
        changed(STREAMS, each(_role)),
    ),
    fault(
        "the finishing delta has the role again",
        "ollama/ollama#7626",
        "chat.stream.role_once",
        changed(STREAMS, each(_role, where=finishes)),
    ),
    fault(
        "null as the first content",
        "sgl-project/sglang PR#2026, langgenius/dify#2267",
        "chat.stream.first_content",
        changed(STREAMS, nth(0, put(f"{DELTA}.content", None))),
    ),
    fault(
        "an empty list of tool calls in deltas",
        "spring-projects/spring-ai#6441",
        "chat.stream.tool_calls",
        changed(STREAMS, each(put(f"{DELTA}.tool_calls", []))),
    ),
    fault(
        "deltas without text",
        "madroidmaq/mlx-omni-server#2",
        "chat.stream.text",
        changed(STREAMS, each(_empty)),
    ),
    fault(
        "text under another name",
        "prantlf/ovai#5",
        "chat.stream.text",
        changed(
            STREAMS, each(lambda value: [choice["delta"].pop("content", None) for choice in value["choices"]])
        ),
    ),
    *chat_stream_end.FAULTS,
)
