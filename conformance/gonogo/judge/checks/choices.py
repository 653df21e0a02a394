"""Choices: their indexes, messages, text and finish reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import kinds, reading
from gonogo.judge.checks.acceptance import ending, expect_plain, timed_out, turned_away
from gonogo.judge.checks.counts import all_of_it, generated, text
from gonogo.judge.outcome import Deviation, refused, saw, unanswered, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


@check("the choices are numbered from 0")
def numbered(exchange: Exchange) -> Outcome:
    """Indexes 0 to n - 1, each once, in any order."""
    indexes = [reading.count(choice.get("index")) for choice in reading.choices(exchange)]
    known = [index for index in indexes if index is not None]
    if len(known) < len(indexes):
        raise undecided(Reason.FIELD_NOT, exchange, field="choices[].index", kind="a whole number")
    if sorted(known) == list(range(len(known))):
        return saw("choice with an index", exchange, count=len(known))
    return Deviation(f"indexes 0 to {len(known) - 1}", f"the indexes are {', '.join(map(str, known))}")


@check("there is one choice unless more were requested")
def one_choice(exchange: Exchange) -> Outcome:
    """The default is one choice per prompt."""
    asked = exchange.request.fields
    if asked.get("n") not in (None, 1) or isinstance(asked.get("prompt"), list):
        raise undecided(Reason.MORE_ASKED, exchange)
    choices = reading.answer(exchange).get("choices")
    if not isinstance(choices, list):
        raise undecided(Reason.FIELD_NOT, exchange, field="choices", kind="a list")
    if len(choices) != 1:
        return Deviation("one choice", f"there are {len(choices)}")
    return saw("choice", exchange, count=len(reading.objects(choices)))


@check("no message has an empty list of tool calls")
def no_empty_tool_calls(exchange: Exchange) -> Outcome:
    """Without calls there is no list: clients treat an empty list as a turn with tools (github/copilot-sdk#616)."""
    messages = [choice.get("message") for choice in reading.choices(exchange)]
    calls = [message.get("tool_calls") for message in messages if isinstance(message, dict)]
    if [] in calls:
        return Deviation('no "tool_calls", or null', '"tool_calls" is []')
    return saw("message without tool calls", exchange, count=calls.count(None))


@compare('the limit of {limit:d} tokens truncates the last, with the finish reason "length"', Of.BEGUN)
def length_at_limit(*exchanges: Exchange, limit: int) -> Outcome:
    """Text that the limit truncated has the reason "length".

    The first answer, with the same greedy text, shows that the text continues: a model that ends naturally with the
    last allowed token correctly reports "stop". An exceeded limit truncated nothing: another rule checks it.
    """
    longer, limited = exchanges
    if generated(longer) <= limit:
        raise undecided(Reason.NOTHING_MORE_TO_SAY, longer, found=generated(longer))
    found = generated(limited)
    if found != limit:
        reason = Reason.LIMIT_PASSED if found > limit else Reason.LIMIT_NOT_REACHED
        raise undecided(reason, limited, found=found, limit=limit)
    reasons = [reason for reason in _reasons(limited) if isinstance(reason, str) and reason]
    if not reasons:
        all_of_it(limited)
        raise undecided(Reason.NO_FINISH_REASON, limited)
    wrong = [reason for reason in reasons if reason != "length"]
    if wrong:
        return Deviation(
            'finish_reason "length"', f"finish_reason is {wrong[0]!r} after {found} of {limit} tokens"
        )
    _refuse_other_form(limited)
    return saw('finish_reason "length"', limited, count=len(reasons))


@compare("if the whole answer succeeds, the stream succeeds too", Of.ANY)
def streams_at_all(whole: Exchange, streamed: Exchange) -> Outcome:
    """The server fails instead of streaming: by its status, a broken connection, or an error before any chunk.

    A refusal is not a failure; a busy or slow target is undecided.
    """
    expect_plain(whole)
    failure, status = streamed.failure, streamed.status
    if status in {401, 403, 501} or turned_away(streamed) or timed_out(streamed):
        raise unanswered(streamed)
    if status is not None and 400 <= status < 500:
        raise refused(Reason.REFUSED, streamed, status=status)
    if status is None or status >= 500:
        return Deviation("a stream, as the whole answer came", ending(streamed))
    if kinds.of_its_kind(streamed):
        return saw("stream", streamed)
    frame = next((e.data for e in reading.stream(streamed).events if reading.is_error(e.data)), None)
    if frame is None and failure is None:
        raise undecided(Reason.WRONG_KIND, streamed, kind=kinds.name(streamed))
    how = f"an error in its place: {frame[:120]}" if frame is not None else ending(streamed)
    return Deviation("a stream, as the whole answer came", how)


@compare("if the whole answer has text, the stream has text")
def streams_text(*exchanges: Exchange) -> Outcome:
    """The deltas have the text (madroidmaq/mlx-omni-server#2)."""
    whole, streamed = exchanges[0], exchanges[-1]
    if not text(whole):
        raise undecided(Reason.NO_TEXT, whole)
    reading.unfailed(streamed)
    if text(streamed):
        _refuse_other_form(streamed)
        return saw("text", whole, streamed)
    _refuse_other_words(streamed)
    reading.ended(streamed)
    return Deviation("text in the deltas", "every delta is empty")


def _refuse_other_form(exchange: Exchange) -> None:
    """Raise Stop if a stream was requested and JSON was sent, or vice versa."""
    asked = exchange.request.fields.get("stream") is True
    if asked and not exchange.is_stream:
        raise undecided(Reason.NOT_A_STREAM, exchange)
    if exchange.is_stream and not asked:
        raise undecided(Reason.WRONG_KIND, exchange, kind="one JSON object")


def _refuse_other_words(streamed: Exchange) -> None:
    """Raise Stop if the deltas have reasoning, a refusal or a tool call instead, or if there are none."""
    for choices in reading.by_choice(streamed).values():
        for _, choice in choices:
            if not isinstance(choice.get("delta"), dict) and not isinstance(choice.get("text"), str):
                name, kind = ("delta", "an object") if "delta" in choice else ("text", "a string")
                raise undecided(Reason.FIELD_NOT, streamed, field=name, kind=kind)
            others = {name for name, value in reading.delta(choice).items() if value} - {"role", "content"}
            if others:
                raise undecided(Reason.OTHER_DELTAS, streamed, fields=", ".join(sorted(others)))


def _reasons(exchange: Exchange) -> list[object]:
    if not exchange.is_stream:
        return [choice.get("finish_reason") for choice in reading.choices(exchange)]
    return [
        choice.get("finish_reason")
        for choices in reading.by_choice(exchange).values()
        for _, choice in choices
    ]
