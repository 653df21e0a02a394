"""Conforming servers that behave unlike ours: the ideal target with edited answers.

Unlike with a changed record, a run against such a server builds its requests from the edited answers.
"""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

from gonogo.faults.editing import answer, answered, each, frames
from ideal.target import IdealTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gonogo.exchange import Exchange, Request
    from gonogo.faults.editing import Edit, JsonEdit

Json = dict[str, Any]
GENERATIONS = ("/chat/completions", "/completions")
NOT_OF_THE_MODEL = {401, 404, 405, 413, 415}


class Other:
    """The ideal target with edits; implements the collector's recorder."""

    def __init__(self, *edits: Edit) -> None:
        self._ideal = IdealTarget()
        self._edits = edits

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - its name
        """The exchange with this server."""
        exchange = await self._ideal.record(request, id=id, stimulus=stimulus)
        for edit in self._edits:
            exchange = edit(exchange)
        return exchange


def asked(exchange: Exchange) -> Json:
    """The body of a request; empty if it is not an object."""
    body = exchange.request.json
    return body if isinstance(body, dict) else {}


def refusing(wrong: Callable[[Json], str | None], code: str | None, *, hint: str = "") -> Edit:
    """A model that refuses what `wrong` names in the body of a chat, before it checks anything else."""

    def edit(exchange: Exchange) -> Exchange:
        name = wrong(asked(exchange))
        if (
            exchange.request.path != "/chat/completions"
            or exchange.status in NOT_OF_THE_MODEL
            or name is None
        ):
            return exchange
        message = f"Unsupported parameter: '{name}' is not supported with this model.{hint}"
        error = {"message": message, "type": "invalid_request_error", "param": name, "code": code}
        return answered({"error": error}, 400)(exchange)

    return edit


def saying(of: Callable[[Exchange], JsonEdit]) -> Edit:
    """Edits each whole answer with 200, and each chunk of a stream; the edit depends on the exchange."""

    def edit(exchange: Exchange) -> Exchange:
        if exchange.status != 200 or exchange.request.path not in {*GENERATIONS, "/embeddings", "/models"}:
            return exchange
        streamed = exchange.media_type == "text/event-stream"
        return (each if streamed else answer)(of(exchange))(exchange)

    return edit


def framing(edit: Callable[[list[bytes]], list[bytes]], *paths: str) -> Edit:
    """Edits the events of each stream of these paths."""
    framed = frames(edit)
    return lambda exchange: (
        framed(exchange)
        if exchange.media_type == "text/event-stream" and exchange.request.path in paths
        else exchange
    )


# ---- reasoning models of the API


def beyond_reasoning(body: Json) -> str | None:
    """What reasoning models refuse: values other than the neutral ones, and some parameters with any value."""
    neutral = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0, "n": 1}
    lacking = ["max_tokens"] if body.get("max_tokens") is not None else []
    lacking += [name for name, value in neutral.items() if body.get(name) not in (None, value)]
    lacking += [name for name in ("stop", "logit_bias", "logprobs", "top_logprobs") if body.get(name)]
    return lacking[0] if lacking else None


def thinking(exchange: Exchange) -> JsonEdit:
    """The limit is used up before the first word of the answer, and the reasoning is not shown."""
    body = asked(exchange)
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    used = (limit if isinstance(limit, int) else 8) * (body.get("n") or 1)

    def edit(value: Json) -> None:
        if not value.get("object", "").startswith("chat"):
            return
        for choice in value["choices"]:
            choice["logprobs"] = None
            if "message" in choice:
                choice["message"] = {"role": "assistant", "content": "", "refusal": None, "annotations": []}
                choice["finish_reason"] = "length"
            else:
                role = choice["delta"].get("role")
                choice["delta"] = {"role": role, "content": "", "refusal": None} if role else {}
                choice["finish_reason"] = "length" if choice["finish_reason"] else None
        if value.get("usage"):
            prompt = value["usage"]["prompt_tokens"]
            value["usage"].update(completion_tokens=used, total_tokens=prompt + used)
            value["usage"]["completion_tokens_details"] = {"reasoning_tokens": used}

    return edit


def musing() -> Callable[[Exchange], JsonEdit]:
    """One short word, the same each time, after a varying amount of reasoning."""
    thoughts = count(1)

    def of(exchange: Exchange) -> JsonEdit:
        body = asked(exchange)
        limit = body.get("max_completion_tokens", body.get("max_tokens"))
        thought = next(thoughts) % max(1, limit - 1) if isinstance(limit, int) else 0
        bound = any(body.get(name) for name in ("response_format", "logprobs", "tools", "logit_bias"))
        words = ["Oui"]

        def edit(value: Json) -> None:
            if bound or not value.get("object", "").startswith("chat"):
                return
            for choice in value["choices"]:
                if place := _said(choice):
                    place[0][place[1]] = words.pop() if words else ""
                choice["finish_reason"] = choice["finish_reason"] and "stop"
            if value.get("usage"):
                spent = thought + (body.get("n") or 1)
                value["usage"].update(
                    completion_tokens=spent, total_tokens=value["usage"]["prompt_tokens"] + spent
                )
                value["usage"]["completion_tokens_details"] = {"reasoning_tokens": thought}

        return edit

    return of


def decorated(exchange: Exchange) -> JsonEdit:
    """Members that the API has added by now."""
    numbers = count(1)
    padded = (asked(exchange).get("stream_options") or {}).get("include_obfuscation", True)

    def edit(value: Json) -> None:
        if "choices" not in value:
            return
        value.update(system_fingerprint=None, service_tier=asked(exchange).get("service_tier") or "default")
        if value["object"] == "chat.completion.chunk" and padded:
            value["obfuscation"] = "x" * (next(numbers) % 7)
        for choice in value["choices"]:
            if "message" in choice:
                choice["message"] |= {"annotations": [], "refusal": choice["message"].get("refusal")}

    return edit


# ---- models with other habits


def _said(choice: Json) -> tuple[Json, str] | None:
    """The object and the member that hold the text of a choice; None if it has none."""
    places = ((choice.get("message"), "content"), (choice.get("delta"), "content"), (choice, "text"))
    return next(((holder, name) for holder, name in places if holder and holder.get(name)), None)


def respelled(spell: Callable[[str], str]) -> Callable[[Exchange], JsonEdit]:
    """Every free text in other letters; not constrained or echoed text, nor text with log probabilities."""

    def of(exchange: Exchange) -> JsonEdit:
        body = asked(exchange)
        bound = any(body.get(name) for name in ("response_format", "logprobs", "echo"))

        def edit(value: Json) -> None:
            for choice in [] if bound else value.get("choices", []):
                if place := _said(choice):
                    place[0][place[1]] = spell(place[0][place[1]])

        return edit

    return of


def byte_tokens(write: Callable[[int], str]) -> Callable[[Exchange], JsonEdit]:
    """A tokenizer with a token for each byte; bytes that are not a character are written with `write`."""

    def parts(entry: Json) -> Iterable[Json]:
        data = entry["token"].encode()
        return (
            [entry] if len(data) == 1 else [{**entry, "token": write(byte), "bytes": [byte]} for byte in data]
        )

    def of(_: Exchange) -> JsonEdit:
        more = 0

        def edit(value: Json) -> None:
            nonlocal more
            for choice in value.get("choices", []):
                told = choice.get("logprobs") or {}
                if told.get("content"):
                    split = [part for entry in told["content"] for part in parts(entry)]
                    more += len(split) - len(told["content"])
                    told["content"] = split
            if value.get("usage") and more:
                value["usage"]["completion_tokens"] += more
                value["usage"]["total_tokens"] += more

        return edit

    return of


def declining(exchange: Exchange) -> JsonEdit:
    """The model refuses every request, in the field `refusal`."""
    told = bool(asked(exchange).get("logprobs"))
    token = {"token": "No", "logprob": -0.1, "bytes": [78, 111], "top_logprobs": []}

    def edit(value: Json) -> None:
        if not value.get("object", "").startswith("chat"):
            return
        for choice in value["choices"]:
            choice["logprobs"] = {"content": None, "refusal": [token]} if told else None
            choice["finish_reason"] = "stop" if choice["finish_reason"] else None
            if "message" in choice:
                choice["message"] = {"role": "assistant", "content": None, "refusal": "No"}
            elif choice["delta"].get("role"):
                choice["delta"] = {"role": "assistant", "content": None, "refusal": ""}
            else:
                choice["delta"] = {"refusal": "No"} if choice["delta"] else {}
        if value.get("usage"):
            value["usage"].update(completion_tokens=1, total_tokens=value["usage"]["prompt_tokens"] + 1)

    return edit


def scaled(exchange: Exchange) -> JsonEdit:
    """Vectors of any length; those in base64 are unchanged and point in the same direction."""

    def edit(value: Json) -> None:
        if exchange.request.path == "/embeddings":
            for entry in value["data"]:
                if isinstance(entry["embedding"], list):
                    entry["embedding"] = [number * 37.5 for number in entry["embedding"]]

    return edit


def among_many(exchange: Exchange) -> JsonEdit:
    """A list of hundreds of models with only the four required fields."""

    def edit(value: Json) -> None:
        if exchange.request.path == "/models":
            more = [
                {"id": f"model-{n}", "object": "model", "created": 1_600_000_000 + n, "owned_by": "somebody"}
                for n in range(300)
            ]
            value["data"] = more + [
                {key: entry[key] for key in ("id", "object", "created", "owned_by")}
                for entry in value["data"]
            ]

    return edit


def retrieving_any(exchange: Exchange) -> Exchange:
    """Retrieves each of those models by its id."""
    _, between, name = exchange.request.path.partition("/models/model-")
    if not between or exchange.request.method != "GET" or exchange.status != 404:
        return exchange
    entry = {
        "id": f"model-{name}",
        "object": "model",
        "created": 1_600_000_000 + int(name),
        "owned_by": "somebody",
    }
    return answered(entry)(exchange)


# ---- streams in other pieces


def one_choice_after_another(old: list[bytes]) -> list[bytes]:
    """The choices of a stream one after another instead of in turn."""

    def place(frame: bytes) -> int:
        value = json.loads(frame.removeprefix(b"data: ")) if b"[DONE]" not in frame else {}
        return value["choices"][0]["index"] if value.get("choices") else len(old)

    return sorted(old, key=place)


def calls_at_once(old: list[bytes]) -> list[bytes]:
    """Every call whole, and all of them in the chunk with the role; other streams are unchanged."""
    values = [json.loads(frame.removeprefix(b"data: ")) for frame in old[:-1]]
    calls: dict[int, Json] = {}
    rest = []
    for value in values:
        fragments = value["choices"][0]["delta"].get("tool_calls", []) if value["choices"] else []
        for fragment in fragments:
            call = calls.setdefault(fragment["index"], fragment)
            if call is not fragment:
                call["function"]["arguments"] += fragment["function"]["arguments"]
        rest += [] if fragments else [value]
    if calls:
        rest[0]["choices"][0]["delta"]["tool_calls"] = list(calls.values())
    return [*(b"data: " + json.dumps(value).encode() + b"\n\n" for value in rest), old[-1]]
