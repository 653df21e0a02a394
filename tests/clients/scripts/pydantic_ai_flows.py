# /// script
# requires-python = ">=3.11"
# dependencies = ["pydantic-ai-slim[openai]==2.68.0"]
# [tool.uv]
# exclude-newer = "2026-11-14T00:00:00Z"
# ///
"""Everyday flows of Pydantic AI."""

import asyncio
from typing import Any

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.messages import ToolReturnPart
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from told import ADA, API_KEY, BASE_URL, HELLO, LAMP, LAMP_IS_TEAL, MODEL, tell


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


def agent(**options: Any) -> Agent[None, Any]:  # noqa: ANN401 - the options of Agent
    model = OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=BASE_URL, api_key=API_KEY))
    return Agent(model, instructions="Be brief.", retries=0, **options)


def with_lamp() -> Agent[None, Any]:
    lamps = agent()

    @lamps.tool_plain
    def set_colour(colour: str) -> str:
        """Sets the colour of the lamp."""
        return f"The lamp is {colour} now."

    return lamps


def it_gets_an_answer() -> None:
    ran = agent().run_sync("Hi")
    assert ran.output == HELLO
    assert ran.usage.output_tokens > 0


def it_streams_an_answer() -> None:
    async def streamed() -> list[str]:
        async with agent().run_stream("Hi") as ran:
            return [text async for text in ran.stream_text(delta=True, debounce_by=None)]

    deltas = asyncio.run(streamed())
    assert len(deltas) > 1
    assert "".join(deltas) == HELLO


def it_has_a_tool_called_and_goes_on() -> None:
    ran = with_lamp().run_sync(LAMP)
    assert ran.output == LAMP_IS_TEAL
    parts = [part for message in ran.all_messages() for part in message.parts]
    assert [part.content for part in parts if isinstance(part, ToolReturnPart)] == [LAMP_IS_TEAL]
    again = with_lamp().run_sync("Thanks, Bob.", message_history=ran.all_messages())
    assert again.output


def it_streams_behind_a_tool() -> None:
    async def streamed() -> str:
        async with with_lamp().run_stream(LAMP) as ran:
            return await ran.get_output()

    assert asyncio.run(streamed()) == LAMP_IS_TEAL


def it_gets_an_object_by_a_forced_call() -> None:
    assert isinstance(agent(output_type=Person).run_sync(ADA).output, Person)


def it_gets_an_object_by_a_schema() -> None:
    assert agent(output_type=NativeOutput(Person)).run_sync(ADA).output == Person(name="Ada", age=36)


if __name__ == "__main__":
    tell(globals())
