"""Faults that break Node clients, as observed in replays.

They are separate from those of the Python clients, because not every machine has Node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BROKEN_BY_NODE: Mapping[str, frozenset[str]] = {
    "clients.openai_node.models": frozenset(
        {
            "names in place of models",
            "the list of models as text/plain",
            "the list of models as a bare array",
            "an empty body in place of the list of models",
            "a list of models that ends early",
            "models as a map by id",
            "the list of models under the name models",
            "a retrieved model in a list",
        }
    ),
    "clients.openai_node.chat": frozenset(
        {
            "a stream where stream is false",
            "a whole answer with [DONE] after it",
            "chat answers without choices",
            "chat answers with null as choices",
            "a string as a choice",
            "a chat answer with no choice at all",
            "choices without a message",
            "content in parts in an answer",
            "chat completions as text/plain",
            "chat completions as text/event-stream",
            "chat completions without a content type",
            "NaN in a chat completion",
            "an empty body with status 200",
            "a JSON string that holds the JSON",
            "an error inside of a 200",
            "calls as a map",
            "calls without a function",
        }
    ),
    "clients.openai_node.chat_stream": frozenset(
        {
            "chunks without an id",
            "chunks with null as their id",
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
            "an empty id in every stream",
            "null as choices of a chunk",
            "the usage chunk without choices",
            "null as choices of the usage chunk",
            "bot as role",
            "no delta has a role",
            "a stream that never finishes",
            "a stream without its last chunk",
            "the usage chunk comes first",
            "the usage chunk comes before the finish reason",
            "JSON lines without data:",
            "an event name without data",
            "an event that is not JSON",
            "an event that is a list",
            "Python in place of JSON",
            "NaN in a chunk",
            "usage after [DONE]",
            "an empty error in every chunk",
            "an object as arguments of fragments",
            "no id in the first fragment",
            "an empty id in the first fragment",
            "no name in the first fragment",
            "no type in the first fragment",
            "fragments without an index",
            "fragments with null as index",
            "every call has the index 0",
            "calls numbered among all blocks of an answer",
            "the second choice of chat completions has the index 2 in streams",
            "the second choice of streamed chat completions never finishes",
            "only the first of two choices has a role",
        }
    ),
    "clients.openai_node.completions": frozenset(
        {
            "completions without choices",
            "a completion with no choice at all",
            "completions as text/plain",
            "a completion as bare text",
            "a completion with [DONE] after it",
            "-Infinity in a completion",
        }
    ),
    "clients.openai_node.completions_stream": frozenset(
        {
            "the usage chunk of a completion without choices",
            "null as choices of a completion's chunk",
            "deltas in a streamed completion",
        }
    ),
    "clients.openai_node.embeddings": frozenset(
        {
            "embeddings without data",
            "null as vector",
            "embeddings as text/plain",
            "base64 that was not requested",
            "a string that is not base64",
        }
    ),
    "clients.ai_sdk.chat": frozenset(
        {
            "a stream where stream is false",
            "a whole answer with [DONE] after it",
            "chat answers with a number as their id",
            "chat answers created at a string",
            "chat answers without choices",
            "chat answers with null as choices",
            "choices as a map",
            "a string as a choice",
            "a chat answer with no choice at all",
            "choices without a message",
            "a string as message",
            "messages of the role user",
            "messages of the role model",
            "counts in usage as strings",
            "NaN in a chat completion",
            "an empty body with status 200",
            "a JSON string that holds the JSON",
            "an error inside of a 200",
            "calls as a map",
            "calls without a function",
            "calls without an id",
            "calls with null as their id",
            "calls with a number as their id",
            "calls without a name",
            "arguments as an object",
            "null as arguments",
            "an empty id of a call",
        }
    ),
    "clients.ai_sdk.chat_stream": frozenset(
        {
            "chunks with a number as their id",
            "chunks created at a string",
            "chunks with a message in place of a delta",
            "an empty stream with status 200",
            "a stream of [DONE] alone",
            "a stream of comments alone",
            "a whole answer instead of a stream",
            "[done] in small letters",
            "[DONE] as a JSON string",
            "null as choices of a chunk",
            "the usage chunk without choices",
            "null as choices of the usage chunk",
            "bot as role",
            "a stream that never finishes",
            "a stream without its last chunk",
            "a word as usage of ordinary chunks",
            "JSON lines without data:",
            "an event that is not JSON",
            "an event that is a list",
            "Python in place of JSON",
            "NaN in a chunk",
            "null as an error in every chunk",
            "an empty error in every chunk",
            "an object as arguments of fragments",
            "no id in the first fragment",
            "an empty id in the first fragment",
            "no name in the first fragment",
        }
    ),
    "clients.ai_sdk.errors": frozenset(
        {
            "the error as a string",
            "the error as detail",
            "the error inside of detail",
            "the fields of the error at the top",
        }
    ),
    "clients.openai_node.responses": frozenset(
        {
            "responses as text/plain",
            "NaN in a response",
            "responses that call themselves chats",
            "responses whose output is null",
        }
    ),
    "clients.ai_sdk.responses": frozenset(
        {
            "NaN in a response",
            "responses whose output is null",
            "responses without incomplete_details",
            "items without a type",
            "items of a kind of the server's own",
            "messages without an id",
            "messages whose content is a string",
            "parts that are called text",
            "texts without annotations",
            "reasoning without a summary",
            "input tokens as a string",
            "calls of a response without a name",
            "arguments of a response as an object",
            "calls of a response without an id",
        }
    ),
    "clients.ai_sdk.responses_stream": frozenset(
        {
            "a cut response that does not say why",
            "events without a type",
            "a response that was created without a model",
            "an error before the end of a response",
            "items that were not added",
            "an item that is added without an id",
            "deltas without the id of their item",
            "text after the end of an item",
            "text within a call",
            "a delta that is null",
        }
    ),
    "clients.openai_node.responses_stream": frozenset(
        {
            "a stream of a response without a body",
            "events without a type",
            "streams without response.created",
            "another response in the middle of a stream",
            "an event after the end of a response",
            "an error before the end of a response",
            "items that were not added",
            "an item that is added without an id",
            "deltas of another item",
            "deltas without the id of their item",
            "deltas without the index of their item",
            "two items with one index",
            "text of a part that was not added",
            "reasoning of a part that was not added",
            "a part that is added twice",
            "deltas without the index of their part",
            "parts that are numbered from 1",
            "text within a call",
            "a delta that is null",
            "a last event without output",
            "a call that changes its call_id",
        }
    ),
    "clients.anthropic_node.messages": frozenset(
        {
            "messages that call themselves chat.completion",
            "a string as the content of messages",
            "messages without usage",
            "messages as text/plain",
            "NaN in a message",
        }
    ),
    "clients.ai_sdk.messages": frozenset(
        {
            "a string as the content of messages",
            "messages without output tokens",
            "messages without usage",
            "null as the count of cached tokens is a word",
            "NaN in a message",
            "a block of text without its text",
            "a string as the input of a tool",
        }
    ),
    "clients.anthropic_node.messages_stream": frozenset(
        {
            "null as the content in message_start",
            "message_start without content",
            "message_start without usage",
            "-1 as the number of blocks in deltas",
            "deltas without the number of their block",
            "deltas with their text under another name",
            "message_delta without usage",
            "events of messages without a type in their data",
            "events of messages without a name",
            "streams of messages without message_start",
            "two message_start in a stream",
            "blocks numbered from 1",
            "deltas without content_block_start",
            "streams of messages without message_stop",
            "a stream of a message that ends in silence",
            "the first piece of an input is lost",
            "text deltas in the use of a tool",
        }
    ),
    "clients.ai_sdk.messages_stream": frozenset(
        {
            "message_start without usage",
            "a block of text that begins without text",
            "-1 as the number of blocks in deltas",
            "deltas without the number of their block",
            "deltas with their text under another name",
            "deltas without a type",
            "deltas of thinking in a block of text",
            "message_delta without usage",
            "events of messages without a type in their data",
            "deltas without content_block_start",
            "a delta after content_block_stop",
            "streams of messages without message_stop",
            "the use of a tool without an id",
            "the use of a tool without its name",
            "text deltas in the use of a tool",
        }
    ),
}
