# /// script
# requires-python = ">=3.11"
# dependencies = ["llama-index-llms-openai-like==0.8.1", "llama-index-embeddings-openai-like==0.4.0"]
# [tool.uv]
# exclude-newer = "2026-11-14T00:00:00Z"
# ///
"""Everyday flows of LlamaIndex, with its classes for OpenAI-like servers."""

import asyncio

from llama_index.core import PromptTemplate
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel
from told import ADA, API_KEY, BASE_URL, HELLO, LAMP, LAMP_IS_TEAL, MODEL, tell


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


def set_colour(colour: str) -> str:
    """Sets the colour of the lamp."""
    return f"The lamp is {colour} now."


def model(**options: object) -> OpenAILike:
    return OpenAILike(
        model=MODEL, api_base=BASE_URL, api_key=API_KEY, is_chat_model=True, is_function_calling_model=True,
        max_retries=0, **options,
    )  # fmt: skip


DESCRIBE = PromptTemplate(ADA)
TOOL = FunctionTool.from_defaults(set_colour)
HI = [ChatMessage(role="user", content="Hi")]


def it_gets_an_answer() -> None:
    assert model().chat(HI).message.content == HELLO


def it_streams_an_answer() -> None:
    parts = list(model().stream_chat(HI))
    assert len(parts) > 1
    assert "".join(part.delta for part in parts) == HELLO


def it_completes_a_prompt() -> None:
    one = OpenAILike(model=MODEL, api_base=BASE_URL, api_key=API_KEY, is_chat_model=False, max_tokens=5)
    assert one.complete("Hi").text == HELLO[:5]


def it_runs_an_agent_to_its_end() -> None:
    async def ran() -> str:
        agent = FunctionAgent(tools=[TOOL], llm=model(), system_prompt="Be brief.")
        return str(await agent.run(LAMP))

    assert asyncio.run(ran()) == LAMP_IS_TEAL


def it_has_a_tool_called_and_called_again() -> None:
    answer = model().predict_and_call([TOOL], LAMP)
    assert str(answer) == LAMP_IS_TEAL


def it_gets_an_object_by_a_forced_call() -> None:
    assert isinstance(model().structured_predict(Person, DESCRIBE), Person)


def it_gets_an_object_by_a_schema() -> None:
    made = model(should_use_structured_outputs=True).structured_predict(Person, DESCRIBE)
    assert made == Person(name="Ada", age=36)


def it_embeds_texts() -> None:
    embedding = OpenAILikeEmbedding(model_name="vectors", api_base=BASE_URL, api_key=API_KEY)
    assert [len(one) for one in embedding.get_text_embedding_batch(["A cat.", "A kitten."])] == [64, 64]


if __name__ == "__main__":
    tell(globals())
