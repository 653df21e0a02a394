# /// script
# requires-python = ">=3.11"
# dependencies = ["guidance==0.3.1", "openai==3.51.0"]
# [tool.uv]
# exclude-newer = "2026-11-14T00:00:00Z"
# ///
"""Everyday flows of guidance, which streams everything, with log probabilities and with nulls for unused parameters."""

import json

import guidance
from pydantic import BaseModel
from told import ADA, API_KEY, BASE_URL, HELLO, LAMP, LAMP_IS_TEAL, MODEL, tell


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


def set_colour(colour: str) -> str:
    """Sets the colour of the lamp."""
    return f"The lamp is {colour} now."


def told(question: str) -> guidance.models.Model:
    """A model with the beginning of a conversation."""
    model = guidance.models.OpenAI(MODEL, echo=False, api_key=API_KEY, base_url=BASE_URL, max_retries=0)
    with guidance.system():
        model += "Be brief."
    with guidance.user():
        model += question
    return model


def it_gets_an_answer_and_carries_on() -> None:
    model = told("Hi")
    with guidance.assistant():
        model += guidance.gen(name="first")
    with guidance.user():
        model += "And again?"
    with guidance.assistant():
        model += guidance.gen(name="second")
    assert (model["first"], model["second"]) == (HELLO, HELLO)


def it_ends_an_answer_by_a_limit() -> None:
    model = told("Hi")
    with guidance.assistant():
        model += guidance.gen(name="said", max_tokens=5)
    assert model["said"] == HELLO[:5]


def it_gets_an_object_by_a_schema() -> None:
    model = told(ADA)
    with guidance.assistant():
        model += guidance.json(name="person", schema=Person)
    assert json.loads(model["person"]) == {"name": "Ada", "age": 36}


def it_has_a_tool_called() -> None:
    model = told(LAMP)
    with guidance.assistant():
        model += guidance.gen(tools=[set_colour])
    assert LAMP_IS_TEAL in str(model)
    with guidance.assistant():
        model += guidance.gen(name="said")
    assert model["said"] == LAMP_IS_TEAL


if __name__ == "__main__":
    tell(globals())
