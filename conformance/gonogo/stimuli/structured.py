"""Requests for structured outputs: a schema with a constant that no model generates by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo.stimuli.bodies import post
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.stimulus import Endpoint

if TYPE_CHECKING:
    from gonogo.stimuli.bodies import Body
    from gonogo.stimuli.stimulus import Stimulus

HELLO: list[Body] = [{"role": "user", "content": "Say hello."}]
CONSTANT = "teal-4417"
OBJECT_TOKENS, BEGIN_TOKENS, TOUCH_TOKENS = 48, 8, 2


def _object(name: str, value: Body) -> Body:
    return {
        "type": "object",
        "properties": {name: value},
        "required": [name],
        "additionalProperties": False,
    }


def _form(schema: Body, *, strict: bool) -> Body:
    return {
        "type": "json_schema",
        "json_schema": {"name": "gauge", "strict": strict, "schema": schema},
    }


SCHEMA = _object("gauge", {"type": "string", "const": CONSTANT})
_DEFINED = _object("gauge", {"$ref": "#/$defs/Gauge"}) | {
    "$defs": {"Gauge": {"type": "string", "enum": [CONSTANT]}}
}
_QUOTED = _object("gauge", {"type": "string", "pattern": f'^"{CONSTANT}"$'})
_RANGE = _object("x", {"type": "integer", "minimum": 100, "maximum": 200})


def _asked(form: Body, tokens: int, **changes: Any) -> Body:  # noqa: ANN401 - JSON
    return {"messages": HELLO, "response_format": form, "temperature": 0, "max_tokens": tokens} | changes


REQUESTS: dict[str, Stimulus] = {
    "an object of a schema is asked for": post(
        Endpoint.CHAT, _asked(_form(SCHEMA, strict=True), OBJECT_TOKENS)
    ),
    "an object of a schema is asked for in a stream": post(
        Endpoint.CHAT, _asked(_form(SCHEMA, strict=True), OBJECT_TOKENS), streamed=True
    ),
    "an object of a schema is asked for with strict false": post(
        Endpoint.CHAT, _asked(_form(SCHEMA, strict=False), TOUCH_TOKENS)
    ),
    "an object of a schema with definitions is asked for": post(
        Endpoint.CHAT, _asked(_form(_DEFINED, strict=True), OBJECT_TOKENS), valid=False
    ),
    "a number within limits is asked for": post(
        Endpoint.CHAT,
        _asked(
            _form(_RANGE, strict=True),
            OBJECT_TOKENS,
            messages=[{"role": "user", "content": "The value of x is 3. What is x?"}],
        ),
    ),
    "a text in quotation marks is asked for": post(
        Endpoint.CHAT, _asked(_form(_QUOTED, strict=True), OBJECT_TOKENS)
    ),
    "any JSON object is asked for": post(
        Endpoint.CHAT,
        _asked(
            {"type": "json_object"},
            OBJECT_TOKENS,
            messages=[{"role": "user", "content": 'Answer with the JSON object {"x": 1} and nothing else.'}],
        ),
    ),
    "a JSON object is asked for with a question of yes or no": post(
        Endpoint.CHAT,
        _asked(
            {"type": "json_object"},
            BEGIN_TOKENS,
            messages=[{"role": "user", "content": "Is this JSON? Answer yes or no."}],
        ),
    ),
    "an object of a schema is asked for with the likeliest tokens": post(
        Endpoint.CHAT, _asked(_form(SCHEMA, strict=True), 4, logprobs=True, top_logprobs=20)
    ),
}


def _register() -> None:
    for phrase, stimulus in REQUESTS.items():
        when.add(phrase, lambda stimulus=stimulus: Ask(stimulus))


_register()
