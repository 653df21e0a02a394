"""Checks on the final response, complete or streamed: its fields and its items.

Each field is checked by the rule that names it, so that one wrong field is one finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import named_events, reading, responses, shape
from gonogo.judge.checks.bodies import LATEST
from gonogo.judge.once import once
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.reading import Object
    from gonogo.judge.shape import Misfit

COMPONENT = "ResponseObject"
ITEM_DONE = "response.output_item.done"
OPEN_FIELDS = (
    "completed_at", "previous_response_id", "reasoning", "max_output_tokens", "max_tool_calls",
    "safety_identifier", "prompt_cache_key", "truncation", "text", "presence_penalty", "frequency_penalty",
    "top_logprobs", "store", "background", "service_tier",
)  # fmt: skip
"""The fields that Open Responses requires in addition to the official document; they may be null.

Another rule checks the usage.
"""
OTHER_TEXTS = frozenset({"text", "input_text", "summary_text", "reasoning_text"})
"""Types of parts with a text that only Open Responses allows in a message."""
PART_TEXTS = {"refusal": "refusal", **dict.fromkeys(("output_text", *OTHER_TEXTS), "text")}
"""The field with the text of a message part, by the type of the part."""
MEDIA = frozenset({"input_image", "input_file", "input_video"})
"""Types of parts without a text that only Open Responses allows in a message."""
STATELESS = frozenset({"reasoning", "compaction"})
"""Items without a status in the schema of Open Responses; the official schema does not require one either."""
ENDED = frozenset({"completed", "incomplete", "failed"})
"""The final statuses of a response."""
OWN_KIND = ":"
"""The separator after the vendor prefix in the type of an extension item."""
KNOWN_ITEMS = frozenset(
    {"message", "function_call", "reasoning", "function_call_output", "file_search_call", "web_search_call"}
    | {
        "computer_call",
        "computer_call_output",
        "image_generation_call",
        "code_interpreter_call",
        "compaction",
    }
    | {"local_shell_call", "local_shell_call_output", "shell_call", "shell_call_output", "apply_patch_call"}
    | {"apply_patch_call_output", "mcp_call", "mcp_list_tools", "mcp_approval_request", "custom_tool_call"}
    | {"custom_tool_call_output", "mcp_approval_response", "tool_search_call", "tool_search_output"}
)


@once
def _misfits(exchange: Exchange) -> tuple[Misfit, ...]:
    return tuple(shape.misfits(COMPONENT, responses.final(exchange)))


@check('"{field}" of the response fits the contract', Of.BEGUN)
def field_fits(exchange: Exchange, field: str) -> Outcome:
    """The field of the final object; a required field that is missing is a misfit."""
    return _fits(exchange, field, lambda misfit: shape.owned(misfit, field))


@check('"{field}" of the response, its entries aside, fits the contract', Of.BEGUN)
def field_itself_fits(exchange: Exchange, field: str) -> Outcome:
    """As above, without the parts inside it, which other rules check."""
    return _fits(exchange, field, lambda misfit: misfit.field == field)


def _fits(exchange: Exchange, field: str, owns: Callable[[Misfit], bool]) -> Outcome:
    misfit = next(filter(owns, _misfits(exchange)), None)
    if misfit is None:
        return saw(f'"{field}"', exchange, count=field in responses.final(exchange))
    return Deviation(f"{misfit.pointer} as {COMPONENT} describes it", f"{misfit.pointer}: {misfit.message}")


@check('the response has "{field}"', Of.BEGUN)
def field_told(exchange: Exchange, field: str) -> Outcome:
    """It is present, and not null."""
    found = responses.final(exchange)
    if found.get(field) is not None:
        return saw(f'"{field}"', exchange)
    return Deviation(f'"{field}" in the response', reading.field(found, field))


@check('"{field}" of the response is a whole number of seconds', Of.BEGUN)
def whole_seconds(exchange: Exchange, field: str) -> Outcome:
    """An integer, as in Open Responses; another rule checks that it is a number."""
    value = responses.final(exchange).get(field)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise undecided(Reason.FIELD_NOT, exchange, field=field, kind="a number")
    if reading.count(value) is not None:
        return saw(f'"{field}"', exchange)
    return Deviation("a whole number", reading.field(responses.final(exchange), field))


@check('"{field}" of the response is in seconds', Of.BEGUN)
def in_seconds(exchange: Exchange, field: str) -> Outcome:
    """Not after 2096, so that milliseconds are detected; another rule checks that it is a number."""
    value = responses.final(exchange).get(field)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise undecided(Reason.FIELD_NOT, exchange, field=field, kind="a number")
    if value <= LATEST:
        return saw(f'"{field}"', exchange)
    return Deviation("a Unix time in seconds", reading.field(responses.final(exchange), field))


@check('"{field}" of the response is null unless its status is "{status}"', Of.BEGUN)
def null_unless(exchange: Exchange, field: str, status: str) -> Outcome:
    """Undecided for a missing or unknown status, which another rule checks."""
    found = responses.final(exchange)
    others = ENDED - {status}
    if found.get("status") not in others or found.get(field) is None:
        return saw(f'"{field}" that fits the status', exchange)
    return Deviation(f'"{field}": null, as the status is "{found["status"]}"', reading.field(found, field))


@check("the response has every field of Open Responses", Of.BEGUN)
def open_fields(exchange: Exchange) -> Outcome:
    """Null is accepted if the specification allows it; other rules check the fields of the official document."""
    found = responses.final(exchange)
    missing = [name for name in OPEN_FIELDS if name not in found]
    if not missing:
        return saw("field of Open Responses", exchange, count=len(OPEN_FIELDS))
    return Deviation("every field of Open Responses", f"without {', '.join(missing)}")


# ---- items ---------------------------------------------------------------------------------------------------


def _each(
    exchange: Exchange,
    found: Iterable[Object],
    wrong: Callable[[Object], str | None],
    expected: str,
    what: str,
) -> Outcome:
    """A deviation for the first item for which `wrong` returns a clause; else kept."""
    known = list(found)
    for value in known:
        problem = wrong(value)
        if problem is not None:
            return Deviation(expected, problem)
    return saw(what, exchange, count=len(known))


def _lacks(value: Object, name: str, kind: type) -> str | None:
    return None if isinstance(value.get(name), kind) else reading.field(value, name)


def _lacks_text(value: Object, name: str) -> str | None:
    """As above, for a string that must not be empty."""
    return None if value.get(name) != "" and _lacks(value, name, str) is None else reading.field(value, name)


@check("each item of the output has a type", Of.BEGUN)
def items_typed(exchange: Exchange) -> Outcome:
    """The output is a list of objects with a type."""
    output = responses.final(exchange).get("output")
    if not isinstance(output, list):
        raise undecided(Reason.FIELD_NOT, exchange, field="output", kind="a list")
    if len(reading.objects(output)) < len(output):
        return Deviation("objects in the output", "an item is no object")
    return _each(
        exchange,
        reading.objects(output),
        lambda item: _lacks(item, "type", str),
        "a type in each item",
        "item",
    )


@check("each item has a known type or a prefixed one", Of.BEGUN)
def items_known(exchange: Exchange) -> Outcome:
    """An extension's type has a prefix, so that clients can distinguish it from future types."""

    def wrong(item: Object) -> str | None:
        kind = item.get("type")
        fits = not isinstance(kind, str) or kind in KNOWN_ITEMS or OWN_KIND in kind
        return None if fits else reading.field(item, "type")

    return _each(exchange, responses.output(exchange), wrong, "a known type, or server:type", "item")


@check('each item of the output but reasoning has "{field}"', Of.BEGUN)
def items_have(exchange: Exchange, field: str) -> Outcome:
    """A string that is not empty; some items have no status in the schema of Open Responses."""
    return _each(
        exchange,
        [item for item in responses.output(exchange) if item.get("type") not in STATELESS],
        lambda item: _lacks_text(item, field),
        f'"{field}" in each item',
        f'item with "{field}"',
    )


@check("no completed item has the status in_progress", Of.BEGUN)
def done_items_ended(exchange: Exchange) -> Outcome:
    """The items of a completed response, and those with a done event in a stream, have a final status."""
    done = [
        event.value["item"]
        for event in (named_events.events(exchange) if exchange.is_stream else ())
        if event.type == ITEM_DONE and isinstance(event.value.get("item"), dict)
    ]
    if responses.final(exchange).get("status") == "completed":
        done += responses.output(exchange)
    return _each(
        exchange,
        [item for item in done if "status" in item],
        lambda item: reading.field(item, "status") if item["status"] == "in_progress" else None,
        "the status of an item that is done",
        "item that is done",
    )


@check('each {kind:w} has "{field}"', Of.BEGUN)
def kind_has(exchange: Exchange, kind: str, field: str) -> Outcome:
    """A string that is not empty, in each item of the type."""
    return _each(
        exchange,
        responses.items(exchange, kind),
        lambda item: _lacks_text(item, field),
        f'"{field}" in each {kind}',
        f'{kind} with "{field}"',
    )


@check("no two items have the same id", Of.BEGUN)
def ids_differ(exchange: Exchange) -> Outcome:
    """Clients index items by their ids."""
    found = [item["id"] for item in responses.output(exchange) if isinstance(item.get("id"), str)]
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice is None:
        return saw("id of an item", exchange, count=len(found))
    return Deviation("an id for each item", f'two items have the id "{twice}"')


@check("only the last item is incomplete, and then the response is too", Of.BEGUN)
def incomplete_last(exchange: Exchange) -> Outcome:
    """The incomplete item is the last one of the response."""
    output = responses.output(exchange)
    for place, item in enumerate(output):
        if item.get("status") == "incomplete":
            if place + 1 < len(output):
                return Deviation(
                    "an incomplete item at the end only", f"items follow the incomplete one, {place}"
                )
            if responses.final(exchange).get("status") == "completed":
                told = reading.field(responses.final(exchange), "status")
                return Deviation("an incomplete response, as its last item is", told)
    return saw("item with a status", exchange, count=sum("status" in item for item in output))


@check("each message has the role assistant and a content array", Of.BEGUN)
def messages_fit(exchange: Exchange) -> Outcome:
    """The structure in which clients look for the text."""

    def wrong(item: Object) -> str | None:
        if item.get("role") != "assistant":
            return reading.field(item, "role")
        return _lacks(item, "content", list)

    return _each(
        exchange,
        responses.items(exchange, "message"),
        wrong,
        "the role assistant and a list of content",
        "message",
    )


@check("each content part of a message has a type of the schema", Of.BEGUN)
def parts_fit(exchange: Exchange) -> Outcome:
    """A string under the name that its type requires.

    Open Responses allows any of its part types in a message; other types are extensions and allowed.
    """

    def wrong(part: Object) -> str | None:
        kind = part.get("type")
        if not isinstance(kind, str):
            return reading.field(part, "type")
        if kind in PART_TEXTS:
            return _lacks(part, PART_TEXTS[kind], str)
        return None if kind in MEDIA or OWN_KIND in kind else reading.field(part, "type")

    return _each(exchange, _parts(exchange), wrong, "output_text with text, or refusal with refusal", "part")


@check("each part of a message that has text is called output_text", Of.BEGUN)
def texts_are_output(exchange: Exchange) -> Outcome:
    """The official document has only this type and refusal; Open Responses has more types with a text."""

    def wrong(part: Object) -> str | None:
        return reading.field(part, "type") if part.get("type") in OTHER_TEXTS else None

    return _each(exchange, _parts(exchange), wrong, '"type": "output_text"', "part")


@check('each output_text has an array "{field}"', Of.BEGUN)
def texts_have(exchange: Exchange, field: str) -> Outcome:
    """The list may be empty, but not missing."""
    found = [part for part in _parts(exchange) if part.get("type") == "output_text"]
    return _each(
        exchange, found, lambda part: _lacks(part, field, list), f'a list "{field}"', f'text with "{field}"'
    )


@check("the arguments of each call are a string", Of.BEGUN)
def arguments_are_text(exchange: Exchange) -> Outcome:
    """A string with a JSON object, not the object."""
    return _each(
        exchange,
        responses.items(exchange, "function_call"),
        lambda call: _lacks(call, "arguments", str),
        "arguments as a string",
        "call with arguments",
    )


@check("the arguments of each call are a JSON object", Of.BEGUN)
def arguments_are_json(exchange: Exchange) -> Outcome:
    """The arguments are JSON, unless the response was truncated."""
    responses.uncut(exchange)

    def wrong(call: Object) -> str | None:
        text = call.get("arguments")
        if not isinstance(text, str):
            raise undecided(Reason.FIELD_NOT, exchange, field="arguments", kind="a string")
        return None if reading.object_of(text) is not None else f"they are {text[:80]!r}"

    return _each(
        exchange,
        responses.items(exchange, "function_call"),
        wrong,
        "arguments that are a JSON object",
        "call",
    )


@check("each reasoning item has a summary array", Of.BEGUN)
def reasoning_has_summary(exchange: Exchange) -> Outcome:
    """The list is empty if there is no summary."""
    found = [item for item in responses.output(exchange) if item.get("type") == "reasoning"]
    if not found:
        raise undecided(Reason.NO_REASONING, exchange)
    return _each(
        exchange, found, lambda item: _lacks(item, "summary", list), 'a list "summary"', "reasoning item"
    )


def _parts(exchange: Exchange) -> list[Object]:
    return [part for item in responses.items(exchange, "message") for part in responses.parts(item)]
