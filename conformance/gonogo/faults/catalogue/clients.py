"""Faults that break Python clients, as observed in replays.

Rules and clients can differ. Clients tolerate most faults, and some break on answers that keep the contract; the
latter are listed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.faults.editing import changed, each, has_choice, header, put
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import either, streamed

if TYPE_CHECKING:
    from collections.abc import Mapping

CHAT_STREAMS = streamed("/chat/completions")

FAULTS: tuple[Fault, ...] = (
    fault(
        "a media type of streams in capitals",
        "RFC 9110 8.3.1 lets a server write it so; httpx-sse compares letter by letter",
        "clients.httpx_sse.stream",
        changed(either(CHAT_STREAMS, streamed("/completions")), header("content-type", "Text/Event-Stream")),
    ),
    fault(
        "a list of objects without an index in every delta",
        "fields of a vendor's own; the SDK's helper adds up every list of a delta by index",
        "clients.openai_python.chat_stream",
        changed(
            CHAT_STREAMS,
            each(put("choices.0.delta.x_thoughts", [{"text": "Hm"}]), where=has_choice),
        ),
    ),
)

BROKEN_BY: Mapping[str, frozenset[str]] = {
    "clients.openai_python.models": frozenset(
        {
            "models listed without an id",
            "model ids as numbers",
            "names in place of models",
            "a web page in place of the list of models",
            "the list of models as a bare array",
            "an empty body in place of the list of models",
            "a list of models that ends early",
            "no models are null",
            "models as a map by id",
            "the list of models under the name models",
            "a retrieved model in a list",
        }
    ),
    "clients.openai_python.chat": frozenset(
        {
            "a stream where stream is false",
            "a whole answer with [DONE] after it",
            "chat answers without choices",
            "chat answers with null as choices",
            "choices as a map",
            "a string as a choice",
            "a chat answer with no choice at all",
            "choices without a message",
            "a string as message",
            "content in parts in an answer",
            "null counts in usage",
            "usage without a total",
            "NaN in a chat completion",
            "an empty body with status 200",
            "a JSON string that holds the JSON",
            "an error inside of a 200",
        }
    ),
    "clients.openai_python.chat_stream": frozenset(
        {
            "chunks without object",
            "chunks that call themselves chat.completion",
            "chat.completions.chunk as object",
            "choices of chunks without an index",
            "choices of chunks with null as index",
            "chunks with a message in place of a delta",
            "null as delta",
            "deltas with a list as content",
            "an empty stream with status 200",
            "a stream of [DONE] alone",
            "a stream of comments alone",
            "a whole answer instead of a stream",
            "[done] in small letters",
            "[DONE] as a JSON string",
            "null as choices of a chunk",
            "the usage chunk without choices",
            "null as choices of the usage chunk",
            "null counts in a stream's usage",
            "a stream's usage without a total",
            "a word as usage of ordinary chunks",
            "half a character in a stream",
            "Latin-1 in a stream",
            "JSON lines without data:",
            "an id without data",
            "an event name without data",
            "an event that is not JSON",
            "an event that is a list",
            "Python in place of JSON",
        }
    ),
    "clients.openai_python.completions": frozenset(
        {
            "completions without choices",
            "a string as a choice of a completion",
            "a completion with no choice at all",
            "completions with a message",
            "completions with null as text",
            "null counts in a completion's usage",
            "a completion's usage without a total",
            "a completion as bare text",
            "a completion with [DONE] after it",
        }
    ),
    "clients.openai_python.completions_stream": frozenset(
        {
            "null as text of chunks",
            "the usage chunk of a completion without choices",
            "null as choices of a completion's chunk",
            "deltas in a streamed completion",
            "null counts in the usage of a completion's stream",
        }
    ),
    "clients.openai_python.errors": frozenset(
        {
            "the error as a string",
            "the error as a list",
            "refusals without a body",
            "refusals as a web page",
        }
    ),
    "clients.httpx_sse.stream": frozenset(
        {
            "a whole answer instead of a stream",
            "[done] in small letters",
            "streams as application/x-ndjson",
            "streams as text/plain",
            "streams without a content type",
            "JSON lines without data:",
            "an id without data",
            "an event name without data",
            "an event that is not JSON",
            "Python in place of JSON",
        }
    ),
    "clients.openai_python.responses": frozenset(
        {
            "responses whose output is null",
            "messages whose content is a string",
            "input tokens as a string",
            "arguments of a response as an object",
        }
    ),
    "clients.openai_python.responses_stream": frozenset(
        {
            "a stream of a response without a body",
            "a stream of a response that is one whole answer",
            "streams without response.created",
            "another response in the middle of a stream",
            "streams that end without saying so",
            "items that were not added",
            "an item that is added without an id",
            "deltas without the index of their item",
            "two items with one index",
            "an item that becomes another",
            "text of a part that was not added",
            "deltas without the index of their part",
            "parts that are numbered from 1",
            "text within a call",
            "a delta that is null",
            "a call that changes its call_id",
        }
    ),
    "clients.anthropic_python.messages": frozenset(
        {
            "a string as the content of messages",
            "messages without output tokens",
            "messages without usage",
            "a block of text without its text",
            "a string as the input of a tool",
        }
    ),
    "clients.anthropic_python.messages_stream": frozenset(
        {
            "a stream of a message that is one whole answer",
            "null as the content in message_start",
            "message_start without content",
            "message_start without usage",
            "a block of text that begins without text",
            "deltas without the number of their block",
            "deltas with their text under another name",
            "message_delta without usage",
            "events of messages without a type in their data",
            "events of messages without a name",
            "streams of messages without message_start",
            "blocks numbered from 1",
            "deltas without content_block_start",
            "the first piece of an input is lost",
        }
    ),
}


def broken_by(name: str, table: Mapping[str, frozenset[str]] = BROKEN_BY) -> frozenset[str]:
    """The client rules in a table that the fault of this name breaks in addition to its own rules."""
    return frozenset(rule for rule, names in table.items() if name in names)
