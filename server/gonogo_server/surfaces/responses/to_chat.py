"""Converts a Responses request to a chat completion request. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gonogo_wire import (
    CreateChatCompletionRequest,
    ResponseAllowedTools,
    ResponseFunctionCallOutput,
    ResponseFunctionTool,
    ResponseGivenText,
    ResponseInputFunctionCall,
    ResponseInputImage,
    ResponseInputMessage,
    ResponseInputReasoning,
    ResponseInputText,
    ResponseItemReference,
    ResponseNamedTool,
    ResponseRefusal,
    ResponseTextFormatJsonSchema,
)

from gonogo_server.requests.params import given
from gonogo_server.surfaces.conversation import Conversation, image_part, text_part
from gonogo_server.surfaces.naming import refuse_foreign, unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_wire import CreateResponseRequest, ResponseInputContent, ResponseInputItem, ResponseInputPart

    from gonogo_server.surfaces.conversation import Part

LOGPROBS: Final = "message.output_text.logprobs"
FOREIGN: Final = {
    "messages": "use 'input' instead",
    "response_format": "use 'text.format' instead",
    "max_tokens": "use 'max_output_tokens' instead",
    "max_completion_tokens": "use 'max_output_tokens' instead",
    "reasoning_effort": "use 'reasoning.effort' instead",
    "stop": "responses have no stop sequences",
    "seed": "responses have no seed",
    "n": "a request has only one response",
    "functions": "use 'tools' instead",
    "logit_bias": "responses do not support it",
    "presence_penalty": "responses do not support it",
    "frequency_penalty": "responses do not support it",
    "moderation": "this server does not moderate",
    "context_management": "this server always uses the whole input",
}
"""Fields that the contract does not know and that would change the answer, and what is to be done."""


@dataclass(frozen=True, slots=True)
class Translated:
    """What the request is in chat, and what its fields are called here."""

    chat: CreateChatCompletionRequest
    names: dict[str, str]


def translated(
    body: CreateResponseRequest,
    before: Sequence[ResponseInputItem] | None = None,
    *,
    images: bool = False,
) -> Translated:
    """The same for chat.

    `before` are the items of the conversation so far; None if no response is stored, so that none can be continued.
    `images` says whether images are supported. Raises `BadRequest`, with `param`, for what is not.
    """
    refuse_foreign(body.model_extra, FOREIGN)
    _check_offered(body, stored=before is not None)
    said = _conversation(body, before or (), images=images)
    chat: dict[str, Any] = {
        "model": body.model,
        "messages": said.messages(),
        "max_completion_tokens": given(body.max_output_tokens, None),
        "temperature": given(body.temperature, None),
        "top_p": given(body.top_p, None),
        "stream": given(body.stream, None),
        "parallel_tool_calls": given(body.parallel_tool_calls, None),
        **_logprobs(body),
        **_text(body),
    }
    if reasoning := given(body.reasoning, None):
        chat["reasoning_effort"] = given(reasoning.effort, None)
    names = {
        "max_completion_tokens": "max_output_tokens",
        "messages": "input",
        "logprobs": "include",
        "reasoning_effort": "reasoning.effort",
        "response_format": "text.format",
        "response_format.json_schema": "text.format",
        **said.names(),
    }
    _add_tools(body, chat, names)
    if not chat["messages"]:
        raise unsupported("input", "is empty: send a string or items.")
    return Translated(CreateChatCompletionRequest.model_validate(chat), names)


def _check_offered(body: CreateResponseRequest, *, stored: bool) -> None:
    for name in ("conversation", "prompt") if stored else ("previous_response_id", "conversation", "prompt"):
        if given(getattr(body, name), None):
            raise unsupported(
                name, "needs a server that stores responses: send the whole conversation in 'input'."
            )
    if given(body.background, None):
        raise unsupported("background", "is not supported: remove it and wait for the answer.")
    if body.truncation == "auto":
        raise unsupported("truncation", "of 'auto' is not supported: input is never truncated.")
    options = given(body.stream_options, None)
    if options and given(options.include_obfuscation, None):
        raise unsupported(
            "stream_options.include_obfuscation", "with this value is not supported: remove it."
        )


def _logprobs(body: CreateResponseRequest) -> dict[str, Any]:
    most = given(body.top_logprobs, None)
    if LOGPROBS in given(body.include, ()):
        return {"logprobs": True, "top_logprobs": most}
    if most:
        raise unsupported("top_logprobs", f"needs '{LOGPROBS}' in 'include'.")
    return {}


def _text(body: CreateResponseRequest) -> dict[str, Any]:
    config = given(body.text, None)
    wanted = given(config.format, None) if config else None
    if wanted is None:
        return {}
    if not isinstance(wanted, ResponseTextFormatJsonSchema):
        return {"response_format": wanted.model_dump(by_alias=True)}
    described = wanted.model_dump(by_alias=True, include={"name", "description", "schema_", "strict"})
    return {"response_format": {"type": "json_schema", "json_schema": described}}


def _add_tools(body: CreateResponseRequest, chat: dict[str, Any], names: dict[str, str]) -> None:
    """The function tools; others cannot be called here, and are passed over as clients send them to any server."""
    functions: list[dict[str, Any]] = []
    for index, tool in enumerate(given(body.tools, ())):
        if isinstance(tool, ResponseFunctionTool):
            names[f"tools[{len(functions)}].function"] = f"tools[{index}]"
            known = tool.model_dump(include={"name", "description", "parameters", "strict"})
            functions.append({"type": "function", "function": known})
    if functions:
        chat["tools"] = functions
    choice = given(body.tool_choice, None)
    match choice:
        case ResponseNamedTool(name=name):
            chat["tool_choice"] = {"type": "function", "function": {"name": name}}
            names["tool_choice.function"] = "tool_choice"
        case ResponseAllowedTools(mode=mode, tools=tools):
            allowed = [{"type": "function", "function": {"name": tool.name}} for tool in tools]
            chat["tool_choice"] = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": allowed}}
            for index in range(len(allowed)):
                names[f"tool_choice.allowed_tools.tools[{index}].function"] = f"tool_choice.tools[{index}]"
        case "none" | "required" | "auto" if functions or choice == "required":
            chat["tool_choice"] = choice


def _conversation(
    body: CreateResponseRequest, before: Sequence[ResponseInputItem], *, images: bool
) -> Conversation:
    said = Conversation(images=images)
    said.tell(given(body.instructions, ""), "instructions")
    for item in before:
        _add(said, item, "previous_response_id")
    if isinstance(body.input, str):
        said.say("user", body.input, "input")
        return said
    for index, item in enumerate(body.input):
        _add(said, item, f"input[{index}]")
    return said


def _add(said: Conversation, item: ResponseInputItem, at: str) -> None:
    match item:
        case ResponseInputMessage(role="system" | "developer", content=content):
            said.tell(_plain(content, f"{at}.content"), at)
        case ResponseInputMessage(role="user", content=content) if said.images:
            said.say("user", _with_images(content, f"{at}.content"), at)
        case ResponseInputMessage(role=role, content=content):
            said.say(role, _plain(content, f"{at}.content"), at)
        case ResponseInputFunctionCall(call_id=call_id, name=name, arguments=arguments):
            said.call(call_id, name, arguments, at)
        case ResponseFunctionCallOutput(call_id=call_id, output=output):
            said.result(call_id, _plain(output, f"{at}.output"), f"{at}.call_id")
        case ResponseInputReasoning(summary=summary, content=content):
            parts: Sequence[Any] = given(content, ()) or summary
            said.think("".join(part.text for part in parts))
        case ResponseItemReference():
            raise unsupported(
                f"{at}.type", "of 'item_reference' needs a server that stores items: send the item itself."
            )


def _plain(content: ResponseInputContent, at: str) -> str:
    if isinstance(content, str):
        return content
    return "".join(_part(part, f"{at}[{index}]") for index, part in enumerate(content))


def _part(part: ResponseInputPart, at: str) -> str:
    match part:
        case ResponseInputText(text=text) | ResponseGivenText(text=text) | ResponseRefusal(refusal=text):
            return text
    raise unsupported(f"{at}.type", f"of '{part.type}' is not supported: the model supports only text.")


def _with_images(content: ResponseInputContent, at: str) -> str | list[Part]:
    """Content parts if there are images, else one text."""
    if isinstance(content, str) or not any(isinstance(part, ResponseInputImage) for part in content):
        return _plain(content, at)
    return [
        _image(part, f"{at}[{index}]")
        if isinstance(part, ResponseInputImage)
        else text_part(_part(part, f"{at}[{index}]"))
        for index, part in enumerate(content)
    ]


def _image(part: ResponseInputImage, at: str) -> Part:
    url, detail = given(part.image_url, None), given(part.detail, None)
    if url is None:
        raise unsupported(
            f"{at}.file_id", "needs a server that keeps files: send the image itself in 'image_url'."
        )
    if detail not in (None, "auto", "low", "high"):
        raise unsupported(
            f"{at}.detail", f"of '{detail}' is not known in chats: use 'auto', 'low' or 'high'."
        )
    return image_part(url, detail)
