# ruff: noqa: T201, PLC0415, BLE001, ANN401 - a script that each client's own environment runs; it prints what came
"""Jobs as JSON lines on stdin; what the client of that name delivered as JSON lines on stdout.

It imports nothing of gonogo: the environments of some clients cannot hold it.
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
    """One transport for all jobs: each would read the certificates of the machine."""
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
    """What an application adds up by hand, fragments by their index, as the guide shows it."""
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
    """The official client's own way of adding up a stream."""
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
    """litellm as a library, with its own builder of a whole answer for streams."""
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
    """The reader of events alone; an application parses the JSON, and stops at [DONE]."""
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
    """One structured object out of a call; where two tools are called, an iterable of both."""
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
    """The model of pydantic-ai, without an agent around it."""
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


CLIENTS = {
    "openai-python": (openai_loop, "openai"),
    "openai-python .stream()": (openai_helper, "openai"),
    "langchain-openai": (langchain, "langchain-openai"),
    "litellm": (litellm, "litellm"),
    "httpx-sse": (httpx_sse, "httpx-sse"),
    "instructor": (instructor, "instructor"),
    "pydantic-ai": (pydantic_ai, "pydantic-ai-slim"),
}


def main(name: str) -> None:
    """Print the version, then one line a job."""
    read, package = CLIENTS[name]
    print(json.dumps({"version": version(package)}), flush=True)
    for line in sys.stdin:
        try:
            said = read(json.loads(line))
        except Exception as error:
            said = {"error": f"{type(error).__name__}"}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
