"""Compares the content that a client delivered with the bytes of the answer.

Limits of a client that apply to every server are not reported: a client that reads one choice is not expected to
deliver two, numbers that it stores as floats are compared as floats, and arguments that are not JSON come from the
model.
"""

from __future__ import annotations

import json
from base64 import b64decode
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gonogo.clients.bytes_say import bytes_say, choices_say
from gonogo.clients.surface_bytes import surface_says

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gonogo.clients.bytes_say import Told
    from gonogo.exchange import Exchange

    Said = Mapping[str, Any]

MOST = 60  # the most characters of a text in a message

SURFACES = frozenset({"/responses", "/messages"})
"""Paths whose answers have no choices."""

OF_AI_SDK = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content-filter",
    "tool_calls": "tool-calls",
    "function_call": "tool-calls",
}
"""The AI SDK's own names of finish reasons; any other is "other"."""


def differences(reader: str, exchange: Exchange, said: Said) -> Iterator[str]:
    """The differences between the content that the named reader delivered and the bytes."""
    if "ids" in said:
        yield from _of_models(exchange, said)
    elif "lengths" in said:
        yield from _of_vectors(exchange, said)
    elif "message" in said:
        yield from _of_errors(exchange, said)
    elif exchange.request.operation in SURFACES:
        yield from _of_surface(exchange, said, of_ai_sdk=reader.startswith("ai_sdk."))
    else:
        yield from _of_choices(exchange, said, of_ai_sdk=reader.startswith("ai_sdk."))


def _of_surface(exchange: Exchange, said: Said, *, of_ai_sdk: bool) -> Iterator[str]:
    found = surface_says(exchange.request.operation, exchange.body)
    told = found.told
    (choice,) = said["choices"]
    if choice["text"] in found.texts:
        told.text = choice["text"]
    if of_ai_sdk and told.usage is not None and None not in told.usage:
        told.usage = (
            told.usage[0] + found.cached,
            told.usage[1],
        )  # its prompt tokens include cached ones
    yield from _of_choice(choice, told, of_ai_sdk=of_ai_sdk)
    yield from _of_usage(said["usage"], told)


# ---- generations ---------------------------------------------------------------------------------------------


def _of_choices(exchange: Exchange, said: Said, *, of_ai_sdk: bool) -> Iterator[str]:
    told, apart = bytes_say(exchange.body), choices_say(exchange.body)
    streamed = exchange.request.fields.get("stream") is True
    # Complete answers have choices in a list, over which applications iterate.
    delivered = {choice["index"] if streamed else n: choice for n, choice in enumerate(said["choices"])}
    if not _asks_for_several(exchange.request.fields):
        nothing: Said = {"text": "", "calls": [], "finish": None}
        choice = next(iter(delivered.values()), nothing)
        alone = apart.get(0, told)
        yield from _of_choice(choice, alone if choice["text"] == alone.text else told, of_ai_sdk=of_ai_sdk)
    else:
        for index, one in apart.items():
            if index not in delivered:
                yield f"loses choice {index}"
            else:
                yield from _of_choice(delivered[index], one, of_ai_sdk=of_ai_sdk)
    yield from _of_usage(said["usage"], told)


def _asks_for_several(fields: Mapping[str, Any]) -> bool:
    """Whether several choices are correct: by `n`, or because there are several prompts."""
    prompt = fields.get("prompt")
    prompts = len(prompt) if isinstance(prompt, list) and not all(isinstance(p, int) for p in prompt) else 1
    return fields.get("n") not in (None, 1) or prompts > 1


def _of_choice(choice: Said, told: Told, *, of_ai_sdk: bool) -> Iterator[str]:
    if not (of_ai_sdk and told.refusal):  # the AI SDK delivers it as text
        yield from _of_text(_whole(choice["text"]), _whole(told.text))
    yield from _of_calls(choice["calls"], told.calls)
    finish = OF_AI_SDK.get(told.finish or "", "other") if of_ai_sdk else told.finish
    if told.finish and not told.refusal and choice["finish"] != finish:
        yield "no finish reason" if choice["finish"] is None else f"another finish reason, {choice['finish']}"


def _of_text(said: object, told: object) -> Iterator[str]:
    if said == told:
        return
    if not isinstance(said, str):
        yield "delivers a text that is not a string"
    elif not said or not isinstance(told, str):
        yield f"loses the whole text {_short(told)}"
    else:
        how = "loses text" if len(said) < len(told) else "delivers another text"
        yield f"{how}, {_short(said)} in place of {_short(told)}"


def _of_calls(said: list[list[Any]], told: list[list[Any]]) -> Iterator[str]:
    if len(said) != len(told):
        yield f"delivers {len(said)} of {len(told)} calls" if said else "loses the calls"
        return
    for (call, name, arguments), (own, called, given) in zip(said, told, strict=True):
        if call and call != own:
            yield "invents an id"
        if name != called:
            yield f"a call of another name, {_short(name)}"
        wanted = _value(given)
        if wanted is not None and _value(arguments) != wanted:
            empty = _value(arguments) in ({}, None)
            yield f"a call with {'empty' if empty else 'other'} arguments, in place of {_short(given)}"


def _of_usage(said: Said | None, told: Told) -> Iterator[str]:
    if told.usage is None or None in told.usage:
        return
    found = None if said is None else (said["prompt"], said["completion"])
    if found != told.usage:
        yield "no usage" if found in (None, (None, None)) else "another usage"


def _value(arguments: object) -> object:
    """Arguments as JavaScript parses them; None if they are not JSON."""
    with suppress(ValueError):
        return json.loads(arguments, parse_int=float) if isinstance(arguments, str) else arguments
    return None


def _whole(text: object) -> object:
    """The text with surrogate pairs joined to characters."""
    return (
        text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(text, str) else text
    )


def _short(text: object) -> str:
    shown = json.dumps(text, ensure_ascii=False)
    return shown if len(shown) <= MOST else shown[: MOST - 1] + "…"


# ---- the rest ------------------------------------------------------------------------------------------------


def _json(exchange: Exchange) -> Any:  # noqa: ANN401 - JSON
    with suppress(ValueError):
        return json.loads(exchange.body)
    return None


def _of_models(exchange: Exchange, said: Said) -> Iterator[str]:
    told = list(_ids(_json(exchange), alone=exchange.request.path != "/models"))
    if len(said["ids"]) < len(told):
        yield f"delivers {len(said['ids'])} of {len(told)} models"
    elif said["ids"] != told:
        yield "delivers a model without its id" if None in said["ids"] else "delivers other ids"


def _ids(body: object, *, alone: bool) -> Iterator[object]:
    """The ids of models in a list of any form; `alone`: the id of a single retrieved model."""
    if isinstance(body, dict):
        if alone and "id" in body:
            yield body["id"]
            return
        lists = [body["data"]] if body.get("data") else list(body.values())
        body = next((found for found in lists if isinstance(found, list)), [])
    for model in body if isinstance(body, list) else []:
        yield model.get("id") if isinstance(model, dict) else model


def _of_vectors(exchange: Exchange, said: Said) -> Iterator[str]:
    body = _json(exchange)
    items = body.get("data") if isinstance(body, dict) else None
    told = [_numbers(item) for item in items] if isinstance(items, list) else []
    if None in said["lengths"] and None not in told:
        yield "delivers a vector that is not a list of numbers"
    elif said["lengths"] != told:
        yield f"delivers vectors of {said['lengths']} numbers in place of {told}"


def _numbers(item: object) -> int | None:
    """The dimensions of an item's vector, a list or base64; None if it has neither."""
    vector = item.get("embedding") if isinstance(item, dict) else None
    if isinstance(vector, str):
        with suppress(ValueError):
            return len(b64decode(vector)) // 4
    return len(vector) if isinstance(vector, list) else None


def _of_errors(exchange: Exchange, said: Said) -> Iterator[str]:
    told = _message(_json(exchange))
    if said["message"] is None:
        yield "raises no error"
    elif told and told.strip() not in said["message"]:
        yield f"{_short(said['message'])} does not contain the server's message {_short(told)}"


def _message(body: object) -> str | None:
    """The message of an error in any form; None if no text in it is clearly a message."""
    if isinstance(body, str):
        return body
    if isinstance(body, dict):
        fields = ("error", "message", "detail")
        return next((told for name in fields if (told := _message(body.get(name)))), None)
    return None
