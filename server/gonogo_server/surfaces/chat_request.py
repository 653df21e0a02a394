"""The chat request for an upstream, as JSON. No I/O.

It has only what the client sent: nulls and the defaults of the API are omitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from gonogo_wire import CreateChatCompletionRequest

    from gonogo_server.presets import Limit

    Document = dict[str, Any]


def chat_request(
    chat: CreateChatCompletionRequest,
    *,
    limit: int | None,
    limit_name: Limit,
    counted: bool,
    omitted: Collection[str] = (),
) -> Document:
    """The request body.

    `limit` is the maximum number of tokens, sent under `limit_name`. `counted`: a stream asks for its usage. `omitted`
    are fields of `chat` that only have their default.
    """
    document = without_nulls(
        chat.model_dump(
            mode="json",
            by_alias=True,
            exclude_unset=True,
            exclude={"max_tokens", "max_completion_tokens", "stream_options", *omitted},
        )
    )
    if tools := document.get("tools"):
        document["tools"] = [{**tool, "function": without_nulls(tool["function"])} for tool in tools]
    described = document.get("response_format", {}).get("json_schema")
    if described is not None:
        document["response_format"] |= {"json_schema": without_nulls(described)}
    if document.get("parallel_tool_calls") is True:
        del document["parallel_tool_calls"]
    if not document.get("stream"):
        document.pop("stream", None)
    elif counted:
        document["stream_options"] = {"include_usage": True}
    return document if limit is None else document | {limit_name: limit}


def without_nulls(document: Document) -> Document:
    """The same without members that are null."""
    return {name: value for name, value in document.items() if value is not None}
