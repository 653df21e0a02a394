"""Converts a Messages request to a chat completion request. No I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from gonogo_wire import (
    CreateChatCompletionRequest,
    CreateMessageRequest,
    MessageCustomTool,
    MessageImageParam,
    MessageRedactedThinkingParam,
    MessageTextParam,
    MessageThinkingDisabled,
    MessageThinkingEnabled,
    MessageThinkingParam,
    MessageToolChoiceAny,
    MessageToolChoiceNone,
    MessageToolChoiceTool,
    MessageToolReferenceParam,
    MessageToolResultParam,
    MessageToolUseParam,
)

from gonogo_server.requests.params import given
from gonogo_server.surfaces.conversation import BREAK, Conversation, image_part, text_part
from gonogo_server.surfaces.naming import refuse_foreign, unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_wire import (
        CountMessageTokensRequest,
        MessageBlockParam,
        MessageParam,
        MessageThinking,
        MessageToolChoice,
    )

    from gonogo_server.surfaces.conversation import Part

    Request = CreateMessageRequest | CountMessageTokensRequest

FOREIGN: Final = {
    "stop": "use 'stop_sequences' instead",
    "max_completion_tokens": "use 'max_tokens' instead",
    "response_format": "use 'output_config.format' instead",
    "output_format": "use 'output_config.format' instead",
    "reasoning_effort": "use 'output_config.effort' instead",
    "functions": "use 'tools' instead",
}
"""Fields of other APIs, and of older versions, that would change the answer, and what is to be done."""


@dataclass(frozen=True, slots=True)
class Translated:
    """What the request is in chat, what its fields are called here, and what chat has no field for."""

    chat: CreateChatCompletionRequest
    names: dict[str, str]
    stops: tuple[str, ...] = ()
    shows_thinking: bool = True
    budget: int | None = None
    """Tokens that the thinking may have."""


def translated(body: Request, *, images: bool = False) -> Translated:
    """The same for chat, without its limit.

    Raises `BadRequest`, with `param`, for what is not supported; `images` says whether images are.
    """
    refuse_foreign(body.model_extra if isinstance(body, CreateMessageRequest) else {}, FOREIGN)
    said = _conversation(body, images=images)
    chat: dict[str, Any] = {"model": body.model, "messages": said.messages()}
    if not chat["messages"]:
        raise unsupported("messages", "has only empty system messages: send a user message.")
    names = {
        "messages": "messages",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "response_format": "output_config.format",
        "response_format.json_schema": "output_config.format",
        "reasoning_effort": "output_config.effort",
        **said.names(),
    }
    _add_tools(body, chat, names)
    _add_form(body, chat, names)
    stops: Sequence[str] = ()
    if isinstance(body, CreateMessageRequest):
        _check_offered(body)
        chat |= {name: given(getattr(body, name), None) for name in ("temperature", "top_p", "stream")}
        stops = given(body.stop_sequences, ())
    thinking = cast("MessageThinking | None", given(body.thinking, None))
    display = None if thinking is None or isinstance(thinking, MessageThinkingDisabled) else thinking.display
    budget = thinking.budget_tokens if isinstance(thinking, MessageThinkingEnabled) else None
    made = CreateChatCompletionRequest.model_validate(chat)
    return Translated(made, names, tuple(stops), display != "omitted", budget)


def _check_offered(body: CreateMessageRequest) -> None:
    if body.max_tokens == 0:
        raise unsupported("max_tokens", "of 0 is not supported: request at least 1 token.")
    if given(body.top_k, None) is not None:
        raise unsupported("top_k", "is not supported: remove it, or use 'top_p'.")
    if body.messages[-1].role == "assistant":
        raise unsupported(
            f"messages[{len(body.messages) - 1}].role",
            (
                "of the last message is 'assistant', but this server does not continue it: end with a user "
                "message."
            ),
        )


def _add_tools(body: Request, chat: dict[str, Any], names: dict[str, str]) -> None:
    """The caller's tools; those of a provider cannot be run here, and are passed over as clients send them anywhere."""
    functions: list[dict[str, Any]] = []
    for index, tool in enumerate(given(body.tools, ())):
        if isinstance(tool, MessageCustomTool):
            names[f"tools[{len(functions)}].function"] = f"tools[{index}]"
            names[f"tools[{len(functions)}].function.parameters"] = f"tools[{index}].input_schema"
            known = tool.model_dump(include={"name", "description", "strict"})
            function = known | {"parameters": tool.input_schema}
            functions.append({"type": "function", "function": function})
    if functions:
        chat["tools"] = functions
    choice = cast("MessageToolChoice | None", given(body.tool_choice, None))
    if choice is None:
        return
    if wanted := _choice(choice):
        chat["tool_choice"] = wanted
        names["tool_choice.function"] = "tool_choice"
    if not isinstance(choice, MessageToolChoiceNone) and given(choice.disable_parallel_tool_use, None):
        chat["parallel_tool_calls"] = False


def _choice(choice: MessageToolChoice) -> str | dict[str, Any] | None:
    match choice:
        case MessageToolChoiceAny():
            return "required"
        case MessageToolChoiceNone():
            return "none"
        case MessageToolChoiceTool(name=name):
            return {"type": "function", "function": {"name": name}}
    return None


def _add_form(body: Request, chat: dict[str, Any], names: dict[str, str]) -> None:
    config = given(body.output_config, None)
    if config is not None:
        chat["reasoning_effort"] = given(config.effort, None)
        if wanted := given(config.format, None):
            schema = {"name": "answer", "schema": wanted.schema_, "strict": True}
            chat["response_format"] = {"type": "json_schema", "json_schema": schema}
    if isinstance(given(body.thinking, None), MessageThinkingDisabled):
        chat["reasoning_effort"] = "none"
        names["reasoning_effort"] = "thinking"


def _conversation(body: Request, *, images: bool) -> Conversation:
    said = Conversation(images=images)
    system = cast("str | Sequence[MessageTextParam]", given(body.system, ""))
    said.tell(system if isinstance(system, str) else BREAK.join(block.text for block in system), "system")
    for index, message in enumerate(body.messages):
        at = f"messages[{index}]"
        if message.role == "system":
            said.tell(_plain(_blocks(message), f"{at}.content"), at)
        elif message.role == "user":
            _add_user(said, _blocks(message), at)
        else:
            _add_assistant(said, _blocks(message), at)
    return said


def _blocks(message: MessageParam) -> Sequence[MessageBlockParam]:
    if isinstance(message.content, str):
        return [MessageTextParam(type="text", text=message.content)]
    return message.content


def _add_user(said: Conversation, blocks: Sequence[MessageBlockParam], at: str) -> None:
    """Results are messages of their own; the texts and images between them are one message each."""
    parts: list[Part] = []

    def flush() -> None:
        if parts and all(part["type"] == "text" for part in parts):
            said.merge("user", "".join(part["text"] for part in parts), at)
        elif parts:
            said.say("user", list(parts), at)
        parts.clear()

    for index, block in enumerate(blocks):
        place = f"{at}.content[{index}]"
        if isinstance(block, MessageToolResultParam):
            flush()
            said.result(block.tool_use_id, _result(block, place), f"{place}.tool_use_id")
        elif isinstance(block, MessageImageParam) and said.images:
            parts.append(_image(block, place))
        else:
            parts.append(text_part(_text(block, place)))
    flush()
    if not blocks:
        said.merge("user", "", at)


def _add_assistant(said: Conversation, blocks: Sequence[MessageBlockParam], at: str) -> None:
    texts: list[str] = []
    calls: list[tuple[MessageToolUseParam, str]] = []
    for index, block in enumerate(blocks):
        place = f"{at}.content[{index}]"
        match block:
            case MessageThinkingParam(thinking=thinking):
                said.think(thinking)
            case MessageRedactedThinkingParam():
                pass  # which only its provider reads
            case MessageToolUseParam():
                calls.append((block, place))
            case _:
                texts.append(_text(block, place))
    if texts or not calls:
        said.merge("assistant", "".join(texts), at)
    for call, place in calls:
        said.call(call.id, call.name, json.dumps(call.input, ensure_ascii=False), place)


def _result(block: MessageToolResultParam, at: str) -> str:
    content = given(block.content, "")
    text = content if isinstance(content, str) else _result_text(content, f"{at}.content")
    return f"Error: {text}" if given(block.is_error, None) else text


def _plain(blocks: Sequence[Any], at: str) -> str:
    return "".join(_text(block, f"{at}[{index}]") for index, block in enumerate(blocks))


def _result_text(blocks: Sequence[Any], at: str) -> str:
    """The text of a result. A tool that a search found is named on a line: the model has its schema already."""
    texts: list[str] = []
    for index, block in enumerate(blocks):
        if isinstance(block, MessageToolReferenceParam):
            texts.append(f"Found the tool {block.tool_name}.\n")
        else:
            texts.append(_text(block, f"{at}[{index}]"))
    return "".join(texts)


def _text(block: Any, at: str) -> str:  # noqa: ANN401 - a block of any message
    if isinstance(block, MessageTextParam):
        return block.text
    raise unsupported(f"{at}.type", f"of '{block.type}' is not supported: the model supports only text.")


def _image(block: MessageImageParam, at: str) -> Part:
    source = block.source
    data, url = given(source.data, None), given(source.url, None)
    if source.type == "base64" and data is not None:
        return image_part(f"data:{given(source.media_type, 'image/png')};base64,{data}")
    if source.type == "url" and url is not None:
        return image_part(url)
    raise unsupported(
        f"{at}.source", f"of type '{source.type}' needs a server that keeps files: send the image itself."
    )
