"""Faults of chat completion requests: refusals of what the contract allows."""

from __future__ import annotations

from gonogo.exchange import FailureKind
from gonogo.faults.editing import answer, changed, header, put, raw, refused, silent
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import asked
from gonogo.faults.rule_picks import keys
from gonogo.rules import load

_STIMULI = {
    scenario.rule.id: keys(scenario.rule.id)[-1]
    for scenario in load()
    if scenario.rule.group in {"chat.request", "chat.harmless"}
}


def _request(name: str) -> str:
    """The key of the request that the rule adds to the plain one."""
    return _STIMULI[f"chat.{name}" if "." in name else f"chat.request.{name}"]


# The refused feature, the server that refused it, and the rule.
_REFUSED = (
    ("stream null is refused", "an int or bool that may not be null", "stream_null"),
    ("a system message is refused", "a template without the role", "system"),
    ("a developer message is refused", "can1357/oh-my-pi#843", "developer"),
    ("an assistant's turn is refused", "a template that wants turns in pairs", "history"),
    ("content in parts is refused", "lemonade-sdk/lemonade#629", "parts"),
    ("parts of the system are refused", "gonka-ai/gonka#985", "parts_of_all"),
    ("nulls are refused", "vllm-project/vllm PR#19679", "nulls"),
    ("parameters at their defaults are refused", "extra fields forbidden", "neutral"),
    ("temperature 0 is refused", "ai-forever/gigachain#237", "temperature_zero"),
    ("metadata and store are refused", "livekit/agents#1274", "bookkeeping"),
    ("a stop string is refused", "raullenchai/Rapid-MLX#2358", "stop_string"),
    ("a list of stop strings is refused", "mudler/LocalAI PR#153", "stop_list"),
    ("names of people are refused", "extra fields forbidden", "long"),
    ("an earlier refusal is refused", "a template that wants text in each turn", "silent_turns"),
)

# The same for servers that fail instead of refusing.
_FAILING = (
    ("stream null fails the server", "a cast of None", "stream_null"),
    ("a developer message fails the server", "an enum of roles", "developer"),
    ("content in parts fails the server", "gonka-ai/gonka#985", "parts"),
    ("nulls fail the server", "vllm-project/vllm PR#19679", "nulls"),
    ("a list of stop strings fails the server", "lm-sys/FastChat PR#1923", "stop_list"),
)

_HOSTILE = (
    ("a NUL fails the server", "a database that stores what was said", "harmless.nul", refused(500)),
    (
        "a NUL drops the connection",
        "a string that ends before its length",
        "harmless.nul",
        silent(FailureKind.RESET),
    ),
    ("half a pair fails the server", "text that cannot be encoded", "harmless.half_pair", refused(500)),
    (
        "half a pair drops the connection",
        "an exception in a worker (ggml-org/llama.cpp#11738)",
        "harmless.half_pair",
        silent(FailureKind.RESET),
    ),
)

_DETAIL = b'{"detail":[{"type":"extra_forbidden","loc":["body","metadata"],"msg":"Extra inputs"}]}'

FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, imitates, f"chat.request.{rule}", changed(asked(_request(rule)), refused(400)))
        for name, imitates, rule in _REFUSED
    ),
    *(
        fault(
            name,
            imitates,
            (f"chat.request.{rule}", "http.no_server_error"),
            changed(asked(_request(rule)), refused(500)),
        )
        for name, imitates, rule in _FAILING
    ),
    fault(
        "metadata and store are refused with 422 and details",
        "livekit/agents#1274, by FastAPI's own handler",
        ("chat.request.bookkeeping", "errors.envelope.object"),
        changed(asked(_request("bookkeeping")), refused(422, _DETAIL)),
    ),
    fault(
        "nulls drop the connection",
        "LostRuins/koboldcpp#1503",
        ("chat.request.nulls", "http.complete"),
        changed(asked(_request("nulls")), silent(FailureKind.RESET)),
    ),
    fault(
        "a stream where stream is false",
        "unslothai/unsloth#6570",
        ("chat.request.stream_false", "chat.response.content_type", "chat.response.json"),
        changed(
            asked(_request("stream_false")),
            header("content-type", "text/event-stream"),
            raw(lambda data: b"data: " + data + b"\n\ndata: [DONE]\n\n"),
        ),
    ),
    fault(
        "a whole answer with [DONE] after it",
        "decolua/9router#3492",
        ("chat.request.stream_false", "chat.response.json"),
        changed(asked(_request("stream_false")), raw(lambda data: data + b"\n\ndata: [DONE]\n\n")),
    ),
    fault(
        "content in parts is dropped",
        "ggml-org/llama.cpp#8367",
        "chat.request.parts_rendered",
        changed(
            asked(_request("parts")),
            answer(put("usage.prompt_tokens", 19), put("usage.total_tokens", 27)),
        ),
    ),
    fault(
        "a picture is not found",
        "ml-explore/mlx-lm, whose handler answers every mistake so",
        "chat.request.picture",
        changed(asked(_request("picture")), refused(404)),
    ),
    fault(
        "a picture fails the server",
        "an exception of the template",
        "http.no_server_error",
        changed(asked(_request("picture")), refused(500)),
    ),
    fault(
        "a picture is dropped",
        "parts of other types are passed over (ggml-org/llama.cpp#8367)",
        "chat.request.picture_seen",
        changed(
            asked(_request("picture")),
            answer(put("usage.prompt_tokens", 41), put("usage.total_tokens", 43)),
        ),
    ),
    *(
        fault(name, imitates, f"chat.{rule}", changed(asked(_request(rule)), edit))
        for name, imitates, rule, edit in _HOSTILE
    ),
)
