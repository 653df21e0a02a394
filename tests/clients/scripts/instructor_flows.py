# /// script
# requires-python = ">=3.11"
# dependencies = ["instructor==1.17.0"]
# [tool.uv]
# exclude-newer = "2026-11-14T00:00:00Z"
# ///
"""Everyday flows of instructor."""

import instructor
import openai
from pydantic import BaseModel, Field
from told import ADA, API_KEY, BASE_URL, MODEL, tell

ASKED = {"model": MODEL, "messages": [{"role": "user", "content": ADA}], "max_retries": 0}
DESCRIBED = {"name": "Ada", "age": 36}


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int = Field(ge=1, le=99)


def client(mode: instructor.Mode) -> instructor.Instructor:
    return instructor.from_openai(openai.OpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0), mode=mode)


def it_gets_an_object_by_a_forced_call() -> None:
    assert 1 <= client(instructor.Mode.TOOLS).create(response_model=Person, **ASKED).age <= 99


def it_gets_an_object_by_a_schema() -> None:
    assert (
        client(instructor.Mode.JSON_SCHEMA).create(response_model=Person, **ASKED).model_dump() == DESCRIBED
    )


def it_gets_an_object_by_json_mode() -> None:
    assert client(instructor.Mode.JSON).create(response_model=Person, **ASKED).model_dump() == DESCRIBED


def it_streams_an_object_in_parts() -> None:
    parts = list(client(instructor.Mode.TOOLS).create_partial(response_model=Person, **ASKED))
    assert len(parts) > 1
    assert 1 <= parts[-1].age <= 99


def it_gets_the_completion_beside_the_object() -> None:
    person, completion = client(instructor.Mode.TOOLS).create_with_completion(response_model=Person, **ASKED)
    assert person.age
    assert (
        completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    )


if __name__ == "__main__":
    tell(globals())
