# ruff: noqa: T201, PLC0415, BLE001, ANN401 - a script that runs in each client's own environment and prints its results
"""Reads jobs as JSON lines from stdin; prints what each named client delivered as JSON lines on stdout.

It imports nothing from gonogo, because some clients' environments do not have it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import warnings
from functools import cache
from importlib.metadata import version
from typing import Any

warnings.simplefilter("ignore")
os.environ.update(OPENAI_API_KEY="none", LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_LOG="ERROR")
ASKED = [{"role": "user", "content": "Say something."}]
PATIENCE = 3.0


def _delivered(
    text: str | None, calls: list[Any], finish: str | None = None, tokens: int | None = None
) -> dict[str, Any]:
    return {"text": text or "", "calls": calls, "finish": finish, "tokens": tokens}


def _extra(job: dict[str, Any]) -> dict[str, Any]:
    return {"tools": job["tools"]} if job["tools"] else {}


def _client(job: dict[str, Any]) -> Any:
    import openai

    return openai.OpenAI(
        base_url=job["base_url"], api_key="none", max_retries=0, timeout=PATIENCE, http_client=_shared()
    )


@cache
def _shared() -> Any:
    """One transport for all jobs, because each new one would read the machine's certificates."""
    import openai

    return openai.DefaultHttpxClient()


@cache
def _shared_async() -> Any:
    import openai

    return openai.DefaultAsyncHttpxClient()


@cache
def _loop() -> asyncio.Runner:
    return asyncio.Runner()


def _message(answer: Any) -> dict[str, Any]:
    choice = answer.choices[0]
    calls = [
        [call.id, call.function.name, call.function.arguments] for call in choice.message.tool_calls or []
    ]
    usage = answer.usage
    return _delivered(choice.message.content, calls, choice.finish_reason, usage and usage.total_tokens)


def _added_up(chunks: Any) -> dict[str, Any]:
    """What an application adds up itself, fragments by index, as in the guide."""
    text, calls, finish, tokens = "", {}, None, None
    for chunk in chunks:
        if getattr(chunk, "usage", None):
            tokens = chunk.usage.total_tokens
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
            for fragment in choice.delta.tool_calls or []:
                call = calls.setdefault(fragment.index, [None, None, ""])
                call[0] = fragment.id or call[0]
                call[1] = fragment.function.name or call[1]
                call[2] += fragment.function.arguments or ""
    return _delivered(text, list(calls.values()), finish, tokens)


def openai_loop(job: dict[str, Any]) -> dict[str, Any]:
    """The official client, chunk by chunk."""
    create = _client(job).chat.completions.create
    if not job["stream"]:
        return _message(create(model="canned", messages=ASKED, **_extra(job)))
    options = {"stream": True, "stream_options": {"include_usage": True}}
    return _added_up(create(model="canned", messages=ASKED, **options, **_extra(job)))


def openai_helper(job: dict[str, Any]) -> dict[str, Any] | None:
    """The official client's own aggregation of a stream."""
    if not job["stream"]:
        return None
    options = {"stream_options": {"include_usage": True}}
    with _client(job).chat.completions.stream(model="canned", messages=ASKED, **options, **_extra(job)) as s:
        for _ in s:
            pass
        return _message(s.get_final_completion())


def langchain(job: dict[str, Any]) -> dict[str, Any]:
    """LangChain's chat model; the calls are those that an agent would run."""
    from langchain_openai import ChatOpenAI

    model: Any = ChatOpenAI(
        model="canned",
        base_url=job["base_url"],
        api_key="none",
        max_retries=0,
        timeout=PATIENCE,
        stream_usage=True,
        http_client=_shared(),
        http_async_client=_shared_async(),
    )
    if job["tools"]:
        model = model.bind_tools(job["tools"])
    if job["stream"]:
        whole = None
        for chunk in model.stream("Say something."):
            whole = chunk if whole is None else whole + chunk
    else:
        whole = model.invoke("Say something.")
    calls = [[call["id"], call["name"], json.dumps(call["args"])] for call in whole.tool_calls]
    usage = whole.usage_metadata
    finish = whole.response_metadata.get("finish_reason")
    return _delivered(whole.text, calls, finish, usage and usage["total_tokens"])


def litellm(job: dict[str, Any]) -> dict[str, Any]:
    """litellm as a library, with its own builder of a whole answer from a stream."""
    import litellm as library

    library.suppress_debug_info = True
    options = {"stream": True, "stream_options": {"include_usage": True}} if job["stream"] else {}
    answer = library.completion(
        model="openai/canned",
        messages=ASKED,
        api_base=job["base_url"],
        api_key="none",
        timeout=PATIENCE,
        max_retries=0,
        **options,
        **_extra(job),
    )
    return _message(library.stream_chunk_builder(list(answer)) if job["stream"] else answer)


def httpx_sse(job: dict[str, Any]) -> dict[str, Any] | None:
    """httpx-sse's event reader alone; the application parses the JSON and stops at [DONE]."""
    if not job["stream"]:
        return None
    import httpx
    from httpx_sse import connect_sse

    body = {"model": "canned", "messages": ASKED, "stream": True, "stream_options": {"include_usage": True}}
    chunks = []
    with (
        httpx.Client(timeout=PATIENCE, verify=False) as client,
        connect_sse(client, "POST", f"{job['base_url']}/chat/completions", json=body | _extra(job)) as source,
    ):
        for event in source.iter_sse():
            if event.data == "[DONE]":
                break
            chunks.append(json.loads(event.data))
    text, calls, finish, tokens = "", {}, None, None
    for chunk in chunks:
        tokens = (chunk.get("usage") or {}).get("total_tokens", tokens)
        for choice in chunk["choices"]:
            text += choice["delta"].get("content") or ""
            finish = choice["finish_reason"] or finish
            for fragment in choice["delta"].get("tool_calls") or []:
                call = calls.setdefault(fragment["index"], [None, None, ""])
                call[0] = fragment.get("id") or call[0]
                call[1] = fragment["function"].get("name") or call[1]
                call[2] += fragment["function"].get("arguments") or ""
    return _delivered(text, list(calls.values()), finish, tokens)


def instructor(job: dict[str, Any]) -> dict[str, Any] | None:
    """One structured object from a call; with two tools, an iterable of both."""
    if job["stream"] or not job["tools"]:
        return None
    from collections.abc import Iterable

    import instructor as library
    from pydantic import BaseModel

    class set_colour(BaseModel):  # noqa: N801 - the name of the tool
        colour: str

    class ring_bell(BaseModel):  # noqa: N801 - the name of the tool
        times: int

    client = library.from_openai(_client(job), mode=library.Mode.PARALLEL_TOOLS)
    found = client.chat.completions.create(
        model="canned", messages=ASKED, response_model=Iterable[set_colour | ring_bell], max_retries=0
    )
    return _delivered("", [[None, type(one).__name__, one.model_dump_json()] for one in found])


def pydantic_ai(job: dict[str, Any]) -> dict[str, Any]:
    """The model of pydantic-ai, without an agent."""
    return _loop().run(_pydantic_ai(job))


async def _pydantic_ai(job: dict[str, Any]) -> dict[str, Any]:
    import openai
    from pydantic_ai.direct import model_request, model_request_stream
    from pydantic_ai.messages import ModelRequest, TextPart, ToolCallPart
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.tools import ToolDefinition

    client = openai.AsyncOpenAI(
        base_url=job["base_url"], api_key="none", max_retries=0, timeout=PATIENCE, http_client=_shared_async()
    )
    model = OpenAIChatModel("canned", provider=OpenAIProvider(openai_client=client))
    tools = [
        ToolDefinition(name=t["function"]["name"], parameters_json_schema=t["function"]["parameters"])
        for t in job["tools"] or []
    ]
    asked = [ModelRequest.user_text_prompt("Say something.")]
    parameters = ModelRequestParameters(function_tools=tools)
    if job["stream"]:
        async with model_request_stream(model, asked, model_request_parameters=parameters) as stream:
            async for _ in stream:
                pass
            answer = stream.get()
    else:
        answer = await model_request(model, asked, model_request_parameters=parameters)
    text = "".join(part.content for part in answer.parts if isinstance(part, TextPart))
    calls = [
        [part.tool_call_id, part.tool_name, part.args_as_json_str()]
        for part in answer.parts
        if isinstance(part, ToolCallPart)
    ]
    return _delivered(text, calls, answer.finish_reason, answer.usage.total_tokens)


def openai_responses(job: dict[str, Any]) -> dict[str, Any]:
    """The official client's responses, event by event."""
    asked: Any = {"model": "canned", "input": ASKED, **_extra(job)}
    if not job["stream"]:
        return _response(_client(job).responses.create(**asked))
    text, calls, response = "", [], None
    for event in _client(job).responses.create(stream=True, **asked):
        if event.type == "response.output_text.delta":
            text += event.delta
        elif event.type == "response.output_item.done" and event.item.type == "function_call":
            calls.append([event.item.call_id, event.item.name, event.item.arguments])
        elif event.type in {"response.completed", "response.incomplete", "response.failed"}:
            response = event.response
    if response is None:
        return _delivered(text, calls)
    usage = response.usage
    return _delivered(text, calls, _end(response, calls), usage and usage.total_tokens)


def openai_responses_helper(job: dict[str, Any]) -> dict[str, Any] | None:
    """The official client's own aggregation of a streamed response; it accepts one kind of end, raises otherwise."""
    if not job["stream"]:
        return None
    asked: Any = {"model": "canned", "input": ASKED, **_extra(job)}
    ends = []
    with _client(job).responses.stream(**asked) as stream:
        for event in stream:
            ends += [event.response] if event.type in {"response.incomplete", "response.failed"} else []
        return _response(ends[-1] if ends else stream.get_final_response())


def _response(response: Any) -> dict[str, Any]:
    calls = [[i.call_id, i.name, i.arguments] for i in response.output if i.type == "function_call"]
    usage = response.usage
    return _delivered(response.output_text, calls, _end(response, calls), usage and usage.total_tokens)


def _end(response: Any, calls: list[Any]) -> str | None:
    """The reason why a response ended, in chat's terms."""
    if response.status == "incomplete":
        reason = response.incomplete_details and response.incomplete_details.reason
        return {"max_output_tokens": "length", "content_filter": "content_filter"}.get(reason or "", "other")
    return ("tool_calls" if calls else "stop") if response.status == "completed" else response.status


def _anthropic(job: dict[str, Any]) -> Any:
    import anthropic

    base_url = job["base_url"].removesuffix("/v1")
    return anthropic.Anthropic(
        base_url=base_url, api_key="none", max_retries=0, timeout=PATIENCE, http_client=_shared_anthropic()
    )


@cache
def _shared_anthropic() -> Any:
    import anthropic

    return anthropic.DefaultHttpxClient()


def anthropic_loop(job: dict[str, Any]) -> dict[str, Any]:
    """Anthropic's official client, event by event, blocks by index."""
    create = _anthropic(job).messages.create
    asked: Any = {"model": "canned", "max_tokens": 1024, "messages": ASKED, **_extra(job)}
    if not job["stream"]:
        return _message_of(create(**asked))
    text, calls, reason, given, output = "", {}, None, None, None
    for event in create(stream=True, **asked):
        if event.type == "message_start":
            given = event.message.usage.input_tokens
        elif event.type == "content_block_start" and event.content_block.type == "tool_use":
            calls[event.index] = [event.content_block.id, event.content_block.name, ""]
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            text += event.delta.text
        elif event.type == "content_block_delta" and event.delta.type == "input_json_delta":
            calls[event.index][2] += event.delta.partial_json
        elif event.type == "message_delta":
            reason, output = event.delta.stop_reason, event.usage.output_tokens
            given = event.usage.input_tokens or given
    return _delivered(text, list(calls.values()), _reason(reason), _sum(given, output))


def anthropic_helper(job: dict[str, Any]) -> dict[str, Any] | None:
    """Anthropic's own aggregation of a stream."""
    if not job["stream"]:
        return None
    asked: Any = {"model": "canned", "max_tokens": 1024, "messages": ASKED, **_extra(job)}
    with _anthropic(job).messages.stream(**asked) as stream:
        for _ in stream:
            pass
        return _message_of(stream.get_final_message())


def _message_of(message: Any) -> dict[str, Any]:
    text = "".join(block.text for block in message.content if block.type == "text")
    calls = [[b.id, b.name, json.dumps(b.input)] for b in message.content if b.type == "tool_use"]
    usage = message.usage
    return _delivered(
        text, calls, _reason(message.stop_reason), _sum(usage.input_tokens, usage.output_tokens)
    )


def _sum(given: int | None, output: int | None) -> int | None:
    return None if given is None or output is None else given + output


def _reason(reason: str | None) -> str | None:
    """The reason why a message ended, in chat's terms."""
    words = {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "tool_use": "tool_calls",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "refusal": "content_filter",
    }
    return None if reason is None else words.get(reason, "other")


OF_RESPONSES, OF_MESSAGES = "/responses", "/messages"
CLIENTS = {
    "openai-python": (openai_loop, "openai"),
    "openai-python .stream()": (openai_helper, "openai"),
    "langchain-openai": (langchain, "langchain-openai"),
    "litellm": (litellm, "litellm"),
    "httpx-sse": (httpx_sse, "httpx-sse"),
    "instructor": (instructor, "instructor"),
    "pydantic-ai": (pydantic_ai, "pydantic-ai-slim"),
    "openai-python responses": (openai_responses, "openai", OF_RESPONSES),
    "openai-python responses.stream()": (openai_responses_helper, "openai", OF_RESPONSES),
    "anthropic-python": (anthropic_loop, "anthropic", OF_MESSAGES),
    "anthropic-python .stream()": (anthropic_helper, "anthropic", OF_MESSAGES),
}
"""By client name: the reader, the package, and the surface, which is chat by default."""


def main(names: list[str]) -> None:
    """Print the version of each client, then one line per job."""
    jobs = [json.loads(line) for line in sys.stdin]
    for name in names:
        read, package, *others = CLIENTS[name]
        surfaces = others or ["/chat/completions"]
        print(json.dumps({"version": version(package)}), flush=True)
        for job in jobs:
            try:
                said = read(job) if job["surface"] in surfaces else None
            except Exception as error:
                said = {"error": f"{type(error).__name__}"}
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
