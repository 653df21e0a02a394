from __future__ import annotations

import pytest
from gonogo.judge import shape
from gonogo.judge.outcome import Stop
from gonogo.reasons import Reason

CHOICE = {
    "index": 0,
    "message": {"role": "assistant", "content": "Hi", "refusal": None},
    "logprobs": None,
    "finish_reason": "stop",
}
CHAT = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [CHOICE]}


def found(value: object, component: str = "ChatCompletion") -> list[tuple[str, str, str]]:
    return [(m.field, m.pointer, m.message) for m in shape.misfits(component, value)]


def test_a_value_that_fits_has_no_misfits() -> None:
    assert found(CHAT) == []


def test_a_missing_property_is_reported_at_its_own_place() -> None:
    (misfit,) = shape.misfits(
        "ChatCompletion", {**CHAT, "choices": [{**CHOICE, "message": {}}] * 1} | {"id": "x"}
    )[:1]
    assert misfit.missing
    assert misfit.field == "choices[].message.role"
    assert misfit.pointer == "/choices/0/message/role"
    assert misfit.message == '"role" is missing'


def test_a_field_of_the_wrong_type_is_named_with_its_value() -> None:
    assert found({**CHAT, "created": 1.5}) == [("created", "/created", '1.5 is not of type "integer"')]


def test_a_constant_shows_what_was_there_and_what_belongs_there() -> None:
    assert found({**CHAT, "object": "chat"}) == [
        ("object", "/object", '"chat" in place of "chat.completion"')
    ]


def test_an_enum_shows_its_words() -> None:
    (misfit,) = found({**CHAT, "choices": [{**CHOICE, "finish_reason": "eos"}]})
    assert misfit[0] == "choices[].finish_reason"
    assert misfit[2].startswith('"eos" is not one of "stop"')


def test_a_union_is_reported_at_what_its_nearest_branch_says() -> None:
    entry = {"token": "H", "logprob": "-0.1", "bytes": None, "top_logprobs": []}
    logprobs = {"content": [entry], "refusal": None}
    (misfit,) = found({**CHAT, "choices": [{**CHOICE, "logprobs": logprobs}]})
    assert misfit[:2] == ("choices[].logprobs.content[].logprob", "/choices/0/logprobs/content/0/logprob")


def test_a_value_that_no_branch_of_a_union_is_meant_for_is_reported_itself() -> None:
    (misfit,) = found({**CHAT, "choices": [{**CHOICE, "logprobs": "none"}]})
    assert misfit == (
        "choices[].logprobs",
        "/choices/0/logprobs",
        '"none" is not of types "object", "null"',
    )


def test_pointers_escape_what_json_pointers_escape() -> None:
    maps = {"tokens": [], "token_logprobs": [], "top_logprobs": [{"a/b~": "x"}], "text_offset": []}
    choice = {"index": 0, "text": "", "logprobs": maps, "finish_reason": "stop"}
    value = {**CHAT, "object": "text_completion", "choices": [choice]}
    (misfit,) = shape.misfits("Completion", value)
    assert misfit.pointer == "/choices/0/logprobs/top_logprobs/0/a~1b~0"


def test_long_values_are_cut_in_the_middle() -> None:
    (misfit,) = shape.misfits("ChatCompletion", {**CHAT, "created": "9" * 1000})
    assert " … " in misfit.message
    assert len(misfit.message) <= shape.SENTENCE + 3
    assert misfit.message.endswith('is not of type "integer"')


def test_too_deeply_nested_values_are_undecided() -> None:
    nested: list[object] = []
    for _ in range(600):
        nested = [nested]
    with pytest.raises(Stop) as stopped:
        shape.misfits("ChatCompletion", {**CHAT, "choices": nested})
    assert stopped.value.outcome.reason is Reason.NOT_VALIDATED
    assert stopped.value.outcome.values["component"] == "ChatCompletion"


@pytest.mark.parametrize(
    ("field", "owner", "owned"),
    [
        ("choices[].index", "choices", True),
        ("choices[].index", "choices[]", True),
        ("choices", "choices", True),
        ("choices2", "choices", False),
        ("choices", "choices[].index", False),
        ("usage.total_tokens", "usage", True),
    ],
)
def test_a_field_owns_itself_and_what_is_inside(field: str, owner: str, *, owned: bool) -> None:
    assert shape.owned(shape.Misfit(field, "", ""), owner) is owned
