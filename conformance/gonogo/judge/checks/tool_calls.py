"""Calls of tools in whole answers: that they come where they must, and what a caller can do with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import jsonschema_rs

from gonogo.judge import calls, reading
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check, compare

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

# How models write a call before a server has read it: Hermes and Qwen, Mistral, Llama, DeepSeek, functionary.
MARKUP = re.compile(
    r"</?tool_calls?>|<\|?tool[_▁]calls?|\[TOOL_CALLS\]|<\|python_tag\|>|<function=|<｜tool"  # noqa: RUF001 - DeepSeek's own
)


@check("a tool is called")
def called(exchange: Exchange) -> Deviation | None:
    """A server that takes "required" or a name can constrain the model, or refuse."""
    if calls.whole(exchange):
        return None
    calls.uncut(exchange)
    message = reading.choices(exchange)[0]["message"]
    said = str(message.get("content"))[:80]
    return Deviation("a call of a tool", f"there is none, but the content {said!r}")


@check("there is a call")
def precondition(exchange: Exchange) -> Deviation | None:
    """Of a call that did not come nothing can be said; raises Undecided."""
    calls.some(exchange)
    return None


@check("no tool is called")
def not_called(exchange: Exchange) -> Deviation | None:
    """What is forbidden does not come."""
    found = calls.whole(exchange)
    if not found:
        return None
    return Deviation("no call of a tool", f"{calls.function(found[0]).get('name')!r} is called")


@check("no call is left in the content")
def no_markup(exchange: Exchange) -> Deviation | None:
    """Calls are in "tool_calls"; what stays in the content nobody runs (lmstudio-ai/lmstudio-bug-tracker#2115)."""
    message = reading.choices(exchange)[0].get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if content is not None and not isinstance(content, str):
        raise Undecided(f"the content of {exchange.id} is no string")
    found = MARKUP.search(content or "")
    if found is None:
        return None
    return Deviation("calls in tool_calls only", f"the content holds {found.group()!r}")


@check("every call names a tool that was offered")
def offered(exchange: Exchange) -> Deviation | None:
    """A name that nobody offered, nobody can call."""
    tools = reading.objects(exchange.request.fields.get("tools"))
    known = [calls.function(tool).get("name") for tool in tools]
    for name in calls.names(exchange):
        if isinstance(name, str) and name not in known:
            return Deviation(f"one of {', '.join(map(repr, known))}", f"{name!r} is called")
    return None


@check('every call is of "{name}"')
def named(exchange: Exchange, name: str) -> Deviation | None:
    """The tool that was named, and no other."""
    others = [found for found in calls.names(exchange) if found != name and isinstance(found, str)]
    return Deviation(f'a call of "{name}"', f"{others[0]!r} is called") if others else None


@check('the finish reason "tool_calls" stands beside a call')
def finishes_a_call(exchange: Exchange) -> Deviation | None:
    """Who reads it looks for calls; a message that is none is for the schema's rules to say."""
    for choice in reading.choices(exchange):
        message = choice.get("message")
        called = not isinstance(message, dict) or message.get("tool_calls")
        if choice.get("finish_reason") == "tool_calls" and not called:
            return Deviation('a call beside finish_reason "tool_calls"', "there is none")
    return None


@check("the arguments of every call keep the schema of the tool")
def arguments_kept(exchange: Exchange) -> Deviation | None:
    """A server that takes "strict" holds the model to it, or refuses."""
    calls.uncut(exchange)
    tools = map(calls.function, reading.objects(exchange.request.fields.get("tools")))
    schemas = {tool.get("name"): tool.get("parameters", True) for tool in tools}
    for name, given in zip(calls.names(exchange), calls.arguments(exchange), strict=True):
        if not isinstance(name, str) or name not in schemas:
            raise Undecided(f"a tool is called in {exchange.id} that was not offered")
        try:
            wrong = next(jsonschema_rs.validator_for(schemas[name]).iter_errors(reading.parse(given)), None)
        except ValueError:
            return Deviation("arguments that the schema admits", f"they are {given[:80]!r}")
        if wrong is not None:
            return Deviation("arguments that the schema admits", f"they are {given[:80]!r}: {wrong.message}")
    return None


@check("the id of every call is a string that is not empty")
def id_not_empty(exchange: Exchange) -> Deviation | None:
    """The result is sent back under it."""
    for call in calls.some(exchange):
        if call.get("id") == "":
            return Deviation("a string that is not empty", 'the "id" of a call is ""')
    return None


@compare("the ids of all calls differ")
def ids_differ(*exchanges: Exchange) -> Deviation | None:
    """Ids of one conversation come from several answers."""
    ids = [call.get("id") for exchange in exchanges for call in calls.some(exchange)]
    known = [found for found in ids if isinstance(found, str) and found]
    twice = [found for found in known if known.count(found) > 1]
    if not twice:
        return None
    return Deviation("another id for each call", f"{known.count(twice[0])} calls have the id {twice[0]!r}")


@check("the arguments of every call are the text of a JSON object", Of.BEGUN)
def arguments_parse(exchange: Exchange) -> Deviation | None:
    """Text put together, where it is streamed; undecided where the limit may have cut it."""
    found = calls.arguments(exchange)
    for text in found:
        try:
            value = reading.parse(text)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            calls.uncut(exchange)
            reading.ended(exchange)
            return Deviation("the text of a JSON object", f"the arguments are {text[:80]!r}")
    return None


@check("no call has an index")
def no_index(exchange: Exchange) -> Deviation | None:
    """Only fragments of a stream are numbered (epam/ai-dial-sdk PR#110)."""
    numbered = [call for call in calls.some(exchange) if "index" in call]
    if not numbered:
        return None
    return Deviation('calls without "index"', f'"index" of a call is {numbered[0]["index"]!r}')


@check("the finish reason beside a call is {reasons}", Of.BEGUN)
def finish_reason(exchange: Exchange, reasons: str) -> Deviation | None:
    """One of those named, or "length" where the call was cut; undecided where no tool was called."""
    if not calls.names(exchange):
        raise Undecided(f"{exchange.id} calls no tool")
    calls.uncut(exchange)
    allowed = reasons.split(" or ")
    given = [reason for reason in calls.finish_reasons(exchange) if isinstance(reason, str)]
    wrong = [reason for reason in given if reason not in allowed]
    return Deviation(f"finish_reason {reasons}", f"finish_reason is {wrong[0]!r}") if wrong else None


@check("no more than one tool is called")
def one_at_a_time(exchange: Exchange) -> Deviation | None:
    """parallel_tool_calls false: serial agents race otherwise (sgl-project/sglang#9696)."""
    found = calls.some(exchange)
    return None if len(found) == 1 else Deviation("one call", f"there are {len(found)}")
