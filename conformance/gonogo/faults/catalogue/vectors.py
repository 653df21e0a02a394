"""Faults of embeddings: vectors of the wrong form, length, order or text."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from gonogo.faults.editing import answer, answered, changed, cut, made, put, raw, refused, renamed
from gonogo.faults.fault import Fault, fault
from gonogo.faults.heads import wrong_heads
from gonogo.faults.picks import asked, either, whole

if TYPE_CHECKING:
    from gonogo.faults.editing import Change, JsonEdit

EVERY = whole("/embeddings")
PLAIN = asked("POST /embeddings {}")
AGAIN = asked('POST /embeddings {"encoding_format":"float"}')
LIST = asked(
    'POST /embeddings {"input":["Count from one to ten.","Red, green, blue.","A house by the sea."]}'
)
TOKENS = asked('POST /embeddings {"input":[1000,1001,1002]}')
TOKEN_LISTS = asked('POST /embeddings {"input":[[1000,1001],[1002,1003]]}')
FLOAT = asked('POST /embeddings {"encoding_format":"float"}')
BASE64 = asked('POST /embeddings {"encoding_format":"base64"}')
SHORT = asked('POST /embeddings {"dimensions":8}')
USER = asked('POST /embeddings {"user":"gonogo"}')
WRONG = {
    "format": ("an unknown encoding_format", asked('POST /embeddings {"encoding_format":"gonogo"}')),
    "empty_text": ("an empty text", asked('POST /embeddings {"input":""}')),
    "empty_list": ("an empty list of texts", asked('POST /embeddings {"input":[]}')),
    "number": ("a number as input", asked('POST /embeddings {"input":7}')),
    "too_many": ("a list of 2049 texts", asked("POST /embeddings of 2049 texts")),
}
_VECTOR = "data.0.embedding"
_NONE = {"prompt_tokens": 0, "total_tokens": 0}


def _packed(form: str) -> JsonEdit:
    """The same numbers as base64 with another float format."""

    def pack(old: str) -> str:
        data = b64decode(old)
        numbers = struct.unpack(f"<{len(data) // 4}f", data)
        return b64encode(struct.pack(form.replace("n", str(len(numbers))), *numbers)).decode()

    return made(_VECTOR, pack)


def _turned(old: Any) -> Any:  # noqa: ANN401 - JSON
    """Another vector of the same length."""
    return [-value if number % 2 else value for number, value in enumerate(old)]


def _swapped(old: Any) -> Any:  # noqa: ANN401 - JSON
    return [entry | {"index": len(old) - 1 - entry["index"]} for entry in old]


def _counted(value: Any) -> None:  # noqa: ANN401 - JSON
    value["usage"]["total_tokens"] += 1


# One field of every answer, and the one rule about it.
_FIELDS = (
    ("embeddings without object", "a hand-made answer", "object", cut("object")),
    ("embeddings that are not a list", "a single vector's answer", "object", put("object", "embedding")),
    ("embeddings without data", "a field called embeddings", "data", renamed("data", "embeddings")),
    ("vectors without object", "a hand-made answer", "entry_object", cut("data.*.object")),
    ("vectors called vectors", "another API", "entry_object", put("data.*.object", "vector")),
    ("vectors without an index", "a hand-made answer", "index", cut("data.*.index")),
    ("vectors with an index that is a string", "a key of a map", "index", put("data.*.index", "0")),
    ("null as vector", "an input that was skipped", "vector", put("data.*.embedding", None)),
    ("embeddings without a model", "opea-project/GenAIComps#926", "model", cut("model")),
    ("null as the model of embeddings", "opea-project/GenAIComps#926", "model", put("model", None)),
    ("embeddings without usage", "opea-project/GenAIComps#926", "usage", cut("usage")),
    ("null as the usage of embeddings", "opea-project/GenAIComps#926", "usage", put("usage", None)),
    ("no tokens counted for embeddings", "a count that is never filled", "usage_prompt", put("usage", _NONE)),
    ("embeddings with another total", "completion tokens of nothing", "usage_total", _counted),
)


FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, imitates, f"embeddings.response.{rule}", changed(EVERY, answer(edit)))
        for name, imitates, rule, edit in _FIELDS
    ),
    *wrong_heads("embeddings", "embeddings.response", EVERY),
    fault(
        "embeddings with an empty model",
        "a name not known",
        "embeddings.response.model_not_empty",
        changed(EVERY, answer(put("model", ""))),
    ),
    fault(
        "NaN in a vector",
        "a norm of 0 that is divided by",
        "embeddings.response.json",
        changed(AGAIN, raw(lambda data: data.replace(b'"embedding":[', b'"embedding":[NaN,'))),
    ),
    fault(
        "embeddings numbered from 1",
        "a language that counts from 1",
        "embeddings.response.indexes",
        changed(AGAIN, answer(put("data.0.index", 1))),
    ),
    fault(
        "all vectors have the index 0",
        "a batch that is put together of single answers",
        "embeddings.response.indexes",
        changed(TOKEN_LISTS, answer(put("data.*.index", 0))),
    ),
    fault(
        "an empty vector",
        "zosmaai/pi-llm-wiki PR#103",
        "embeddings.response.not_empty",
        changed(TOKENS, answer(put(_VECTOR, []))),
    ),
    fault(
        "vectors of several lengths",
        "a vector for each token of the longest text",
        "embeddings.response.one_length",
        changed(TOKEN_LISTS, answer(made(_VECTOR, lambda old: old + old))),
    ),
    fault(
        "a string in place of an embedding",
        "a list of names",
        "embeddings.response.data",
        changed(AGAIN, answer(put("data.0", "vector"))),
    ),
    fault(
        "two vectors of one text",
        "a vector for each chunk of it",
        "embeddings.input.text",
        changed(PLAIN, answer(made("data", lambda old: [old[0], old[0] | {"index": 1}]))),
    ),
    fault(
        "lists of texts are refused",
        "langgenius/dify#6807",
        "embeddings.input.list",
        changed(LIST, refused(400)),
    ),
    fault(
        "only the first of several texts has a vector",
        "a handler for one",
        "embeddings.input.list_vectors",
        changed(LIST, answer(made("data", lambda old: old[:1]))),
    ),
    fault(
        "vectors under the indexes of other texts",
        "pydantic/pydantic-ai PR#7506",
        ("embeddings.input.order", "embeddings.input.batch"),
        changed(LIST, answer(made("data", _swapped))),
    ),
    fault(
        "vectors that depend on the batch",
        "padding that is not masked",
        "embeddings.input.batch",
        changed(
            LIST,
            answer(made(_VECTOR, lambda old: [old[0] + 0.25, *old[1:]])),
        ),
    ),
    fault(
        "a vector for each token",
        "tokens that are taken for texts",
        "embeddings.input.tokens",
        changed(TOKENS, answer(made("data", lambda old: [old[0] | {"index": n} for n in range(3)]))),
    ),
    fault(
        "embeddings of lists of tokens that are joined",
        "michaelfeil/infinity#36",
        "embeddings.input.token_lists",
        changed(TOKEN_LISTS, answer(made("data", lambda old: old[:1]))),
    ),
    fault(
        "lists of tokens that fail the server",
        "microsoft/aoai-api-simulator#87",
        "http.no_server_error",
        changed(either(TOKENS, TOKEN_LISTS), refused(500)),
    ),
    fault(
        "another vector each time",
        "dropout that is left on",
        "embeddings.input.repeats",
        changed(AGAIN, answer(made(_VECTOR, _turned))),
    ),
    fault(
        "base64 that was not requested",
        "a proxy that asks for it always",
        "embeddings.format.float",
        changed(FLOAT, answer(put(_VECTOR, "AACAPwAAAAA="))),
    ),
    fault(
        "base64 as the default",
        "a client's default that became the server's",
        "embeddings.format.default",
        changed(
            PLAIN, answer(made(_VECTOR, lambda old: b64encode(struct.pack(f"<{len(old)}f", *old)).decode()))
        ),
    ),
    fault(
        "base64 is ignored",
        "ollama/ollama#6934",
        "embeddings.format.base64",
        changed(BASE64, answer(put(_VECTOR, [0.5, 0.5]))),
    ),
    fault(
        "base64 of 64-bit floats",
        "michaelfeil/infinity#349",
        "embeddings.format.base64_size",
        changed(BASE64, answer(_packed("<nd"))),
    ),
    fault(
        "a string that is not base64",
        "a repr of bytes",
        "embeddings.format.base64_size",
        changed(BASE64, answer(put(_VECTOR, "b'\\x00'"))),
    ),
    fault(
        "base64 of big-endian floats",
        "network byte order",
        "embeddings.format.base64_value",
        changed(BASE64, answer(_packed(">nf"))),
    ),
    fault(
        "dimensions are ignored",
        "ggml-org/llama.cpp#25210",
        "embeddings.dimensions.length",
        changed(SHORT, answer(made(_VECTOR, lambda old: old + old))),
    ),
    fault(
        "a user is refused with embeddings",
        "livekit/agents#1274",
        "embeddings.request.user",
        changed(USER, refused(400)),
    ),
    *(
        fault(
            f"{what} fails the server",
            "a handler that trusts its input",
            f"embeddings.harmless.{name}",
            changed(pick, refused(500)),
        )
        for name, (what, pick) in WRONG.items()
    ),
    *(
        fault(
            f"{what} is accepted",
            "a handler that takes anything",
            f"embeddings.refused.{name}",
            changed(pick, answered({"object": "list", "data": [], "model": "x", "usage": {}}, 200)),
        )
        for name, (what, pick) in WRONG.items()
    ),
)

HARMLESS: dict[str, Change] = {
    "embeddings that are not there": changed(
        lambda e: e.stimulus.startswith("POST /embeddings"), refused(404)
    ),
    "an embedding model that is refused": changed(
        lambda e: e.stimulus.startswith("POST /embeddings"), refused(400)
    ),
    "vectors in another order": changed(LIST, answer(made("data", lambda old: old[::-1]))),
    "dimensions that are refused": changed(SHORT, refused(400)),
    "tokens that are refused as input": changed(either(TOKENS, TOKEN_LISTS), refused(400)),
    "vectors that differ in their last digits": changed(
        AGAIN, answer(made(_VECTOR, lambda old: [value * 1.00001 + 1e-6 for value in old]))
    ),
    "vectors of no particular length": changed(EVERY, answer(lambda v: [_doubled(e) for e in v["data"]])),
    "details in the usage of embeddings": changed(EVERY, answer(put("usage.prompt_tokens_details", None))),
}


def _doubled(entry: Any) -> None:  # noqa: ANN401 - JSON
    if isinstance(entry["embedding"], list):
        entry["embedding"] = [2 * value for value in entry["embedding"]]
