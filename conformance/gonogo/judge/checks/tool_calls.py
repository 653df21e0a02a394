"""Checks on tool calls in complete answers: present if required, and usable by a caller."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import jsonschema_rs

from gonogo.judge import calls, reading
from gonogo.judge.checks.acceptance import (
    accepted,
    expect_kind,
    expect_plain,
    taken_like_the_first,
)
from gonogo.judge.outcome import Deviation, saw, unanswered, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

# The markup of calls in model output: Hermes and Qwen, Mistral, Llama, DeepSeek, functionary.
MARKUP = re.compile(
    r"</?tool_calls?>|<\|?tool[_▁]calls?|\[TOOL_CALLS\]|<\|python_tag\|>|<function=|<｜tool"  # noqa: RUF001 - DeepSeek's own
)


@check("a tool is called")
def called(exchange: Exchange) -> Outcome:
    """A server that accepts "required" or a name constrains the model, or refuses."""
    if calls.whole(exchange):
        named = [name for name in calls.names(exchange) if isinstance(name, str) and name]
        return saw("call of a tool by its name", exchange, count=len(named))
    calls.uncut(exchange)
    message = reading.choices(exchange)[0]["message"]
    said = str(message.get("content"))[:80]
    return Deviation("a call of a tool", f"there is none, but the content {said!r}")


@check("there is a call")
def precondition(exchange: Exchange) -> Outcome:
    """Raise Stop without a call, as nothing can be checked."""
    return saw("call of a tool", exchange, count=len(calls.some(exchange)))


@check("no tool is called")
def not_called(exchange: Exchange) -> Outcome:
    """A forbidden call does not occur."""
    found = calls.whole(exchange)
    if found:
        return Deviation("no call of a tool", f"{calls.function(found[0]).get('name')!r} is called")
    if reading.choices(exchange)[0]["message"].get("tool_calls"):
        raise undecided(Reason.FIELD_NOT, exchange, field="tool_calls", kind="a list of objects")
    return saw("message without a call", exchange)


@check("the content contains no call")
def no_markup(exchange: Exchange) -> Outcome:
    """Calls are in "tool_calls"; calls in the content are not run (lmstudio-ai/lmstudio-bug-tracker#2115)."""
    message = reading.choices(exchange)[0].get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if content is not None and not isinstance(content, str):
        raise undecided(Reason.FIELD_NOT, exchange, field="content", kind="a string")
    found = MARKUP.search(content or "")
    if found is not None:
        return Deviation("calls in tool_calls only", f"the content holds {found.group()!r}")
    # Undecided without calls: the content may have one in a form that MARKUP lacks.
    return saw("call in tool_calls", exchange, count=len(calls.some(exchange)))


@check("every call names an offered tool")
def offered(exchange: Exchange) -> Outcome:
    """Only offered names are called."""
    tools = reading.objects(exchange.request.fields.get("tools"))
    known = [calls.function(tool).get("name") for tool in tools]
    names = [name for name in calls.names(exchange) if isinstance(name, str)]
    for name in names:
        if name not in known:
            return Deviation(f"one of {', '.join(map(repr, known))}", f"{name!r} is called")
    return saw("call of a tool that was offered", exchange, count=len(names))


@check('every call is of "{name}"')
def named(exchange: Exchange, name: str) -> Outcome:
    """The named tool, and no other."""
    names = [found for found in calls.names(exchange) if isinstance(found, str)]
    others = [found for found in names if found != name]
    if others:
        return Deviation(f'a call of "{name}"', f"{others[0]!r} is called")
    return saw(f'call of "{name}"', exchange, count=len(names))


@check('a call finishes with "tool_calls"')
def finishes_a_call(exchange: Exchange) -> Outcome:
    """Clients look for calls by the finish reason; schema rules check a message that is not an object."""
    finished = [c for c in reading.choices(exchange) if c.get("finish_reason") == "tool_calls"]
    if not finished:
        raise undecided(Reason.NO_CALL_FINISHED, exchange)
    messages = [message for choice in finished if isinstance(message := choice.get("message"), dict)]
    if not all(message.get("tool_calls") for message in messages):
        return Deviation('a call beside finish_reason "tool_calls"', "there is none")
    called = [message for message in messages if reading.objects(message.get("tool_calls"))]
    return saw('choice that finishes with "tool_calls"', exchange, count=len(called))


@check("the arguments of every call match the schema of the tool")
def arguments_kept(exchange: Exchange) -> Outcome:
    """A server that accepts "strict" enforces the schema, or refuses."""
    calls.uncut(exchange)
    tools = map(calls.function, reading.objects(exchange.request.fields.get("tools")))
    schemas = {tool.get("name"): tool.get("parameters", True) for tool in tools}
    found = list(zip(calls.names(exchange), calls.arguments(exchange), strict=True))
    for name, given in found:
        if not isinstance(name, str):
            raise undecided(Reason.CALL_WITHOUT_NAME, exchange)
        if name not in schemas:
            raise undecided(Reason.NOT_OFFERED, exchange)
        try:
            wrong = next(jsonschema_rs.validator_for(schemas[name]).iter_errors(reading.parse(given)), None)
        except ValueError:
            return Deviation("arguments that the schema admits", f"they are {given[:80]!r}")
        if wrong is not None:
            return Deviation("arguments that the schema admits", f"they are {given[:80]!r}: {wrong.message}")
    return saw("call with arguments that the schema admits", exchange, count=len(found))


@check("the id of every call is a string that is not empty")
def id_not_empty(exchange: Exchange) -> Outcome:
    """The result is sent back with the id."""
    ids = [call.get("id") for call in calls.some(exchange)]
    if "" in ids:
        return Deviation("a string that is not empty", 'the "id" of a call is ""')
    return saw("call with an id", exchange, count=sum(isinstance(found, str) for found in ids))


@compare("the ids of all calls differ", Of.BEGUN)
def ids_differ(*exchanges: Exchange) -> Outcome:
    """Ids are unique across the answers of a conversation."""
    ids = [_ids(exchange) for exchange in exchanges]
    known = [found for each in ids for found in each if found]
    twice = [found for found in known if known.count(found) > 1]
    if not twice:
        if len(known) < 2:
            raise undecided(Reason.NOTHING_SEEN, *exchanges, what="second id of a call")
        return saw("id of a call", *exchanges, count=min(sum(map(bool, each)) for each in ids))
    return Deviation("another id for each call", f"{known.count(twice[0])} calls have the id {twice[0]!r}")


@check("the arguments of every call are a JSON object as text", Of.BEGUN)
def arguments_parse(exchange: Exchange) -> Outcome:
    """For a stream the joined text is parsed; undecided if the limit may have truncated it."""
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
    return saw("call with arguments", exchange, count=len(found))


@check("each of the {number:d} choices has a call")
def each_calls(exchange: Exchange, number: int) -> Outcome:
    """If a call is forced, every choice has one, unless it was truncated by the limit."""
    found = reading.choices(exchange)
    if len(found) != number:
        return Deviation(f"{number} choices", f"there are {len(found)}")
    messages = [choice.get("message") for choice in found]
    called = [isinstance(each, dict) and bool(reading.objects(each.get("tool_calls"))) for each in messages]
    if all(called):
        return saw("choice with a call", exchange, count=number)
    calls.uncut(exchange)
    if not any(called):
        raise undecided(Reason.NO_CALL, exchange)
    return Deviation("a call in every choice", f"choice {called.index(False)} has none")


@compare("the function is called, or refused", Of.ANY)
def older_form(plain: Exchange, older: Exchange) -> Outcome:
    """Only accepting and ignoring it is wrong; a call in tool_calls shows that it was not ignored."""
    expect_plain(plain)
    if not accepted(older):
        status = older.status
        if status is None or status in {401, 403, 429} or (status >= 500 and status != 501):
            raise unanswered(older)
        return saw("refusal of a function", older)
    expect_kind(older)
    if calls.whole(older):
        return saw("call of a function", older)
    message = reading.choices(older)[0]["message"]
    call = message.get("function_call")
    if isinstance(call, dict) and call.get("name"):
        return saw("call of a function", older)
    said = message.get("content")
    if not said:
        raise undecided(Reason.NO_TEXT, older)
    return Deviation("a call of the function, or a refusal", f"there is none, but the content {said[:80]!r}")


@compare("its own messages are accepted like those of others", Of.ANY)
def own_taken(plain: Exchange, offered: Exchange, own: Exchange) -> Outcome:
    """A history with calls and the tools is accepted if a request that offers tools is."""
    return taken_like_the_first(offered if "tools" in own.request.fields else plain, own)


@check("no call has an index")
def no_index(exchange: Exchange) -> Outcome:
    """Only fragments of a stream are numbered (epam/ai-dial-sdk PR#110)."""
    found = calls.some(exchange)
    numbered = [call for call in found if "index" in call]
    if not numbered:
        return saw("call without an index", exchange, count=len(found))
    return Deviation('calls without "index"', f'"index" of a call is {numbered[0]["index"]!r}')


@check("the finish reason of a call is {reasons}", Of.BEGUN)
def finish_reason(exchange: Exchange, reasons: str) -> Outcome:
    """One of the named reasons, or "length" if the call was truncated; undecided if no tool was called."""
    if not calls.names(exchange):
        raise undecided(Reason.NO_CALL, exchange)
    calls.uncut(exchange)
    allowed = reasons.split(" or ")
    given = [reason for reason in calls.finish_reasons(exchange) if isinstance(reason, str)]
    wrong = [reason for reason in given if reason not in allowed]
    if wrong:
        return Deviation(f"finish_reason {reasons}", f"finish_reason is {wrong[0]!r}")
    return saw("finish_reason beside a call", exchange, count=len(given))


@check("no more than one tool is called")
def one_at_a_time(exchange: Exchange) -> Outcome:
    """parallel_tool_calls false: serial agents have race conditions otherwise (sgl-project/sglang#9696)."""
    found = calls.some(exchange)
    if len(found) > 1:
        return Deviation("one call", f"there are {len(found)}")
    calls.uncut(exchange)
    return saw("call of a tool", exchange)


def _ids(exchange: Exchange) -> list[str]:
    """The id of each call, whole or streamed; "" if it has none."""
    if exchange.is_stream:
        return [next(iter(calls.ids(parts)), "") for _, parts in sorted(calls.by_call(exchange).items())]
    return [found if isinstance(found := call.get("id"), str) else "" for call in calls.some(exchange)]
