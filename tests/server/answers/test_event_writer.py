"""The events of a stream: byte for byte the same as each chunk serialized alone."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from gonogo_server import sse
from gonogo_server.answers.align import Placed
from gonogo_server.answers.event_writer import EventWriter
from gonogo_server.answers.form import ChatForm, CompletionForm, Heading
from gonogo_server.answers.stream import Counted, Finished, Started, Text
from gonogo_server.engine.base import Alternative, Token
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gonogo_server.answers.respond import Form
    from gonogo_server.answers.stream import Step

FORMS = [ChatForm, CompletionForm]
PLACED = Placed(b"He", 0, Token(Alternative(1, b"He", -0.5), (Alternative(2, b"Ho", -1.5),)))


def written_one_by_one(form: Form, steps: Iterable[Step]) -> bytes:
    chunks = [form.chunk(step) for step in steps]
    return b"".join(sse.event(chunk) for chunk in chunks if chunk is not None)


@pytest.mark.parametrize("make", FORMS)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)),
    indexes=st.lists(st.integers(0, 127), min_size=1),
    model=st.text(st.characters(exclude_categories=["Cs"])),
    include_usage=st.booleans(),
    logprobs=st.booleans(),
)
def test_the_events_of_texts_are_the_bytes_of_their_chunks(
    make: Callable[[Heading], Form],
    texts: list[str],
    indexes: list[int],
    model: str,
    *,
    include_usage: bool,
    logprobs: bool,
) -> None:
    form = make(Heading(model, include_usage=include_usage, logprobs=logprobs))
    steps = [Text(indexes[number % len(indexes)], text) for number, text in enumerate(texts)]
    assert EventWriter(form).events(steps) == written_one_by_one(form, steps)


@pytest.mark.parametrize("make", FORMS)
def test_texts_with_their_tokens_are_written_with_them(make: Callable[[Heading], Form]) -> None:
    form = make(Heading("m", logprobs=True))
    steps = [Text(0, "He", (PLACED,)), Text(0, "llo"), Text(0, "He", (PLACED,))]
    assert EventWriter(form).events(steps) == written_one_by_one(form, steps)


@pytest.mark.parametrize("make", FORMS)
def test_steps_of_all_kinds_keep_their_order(make: Callable[[Heading], Form]) -> None:
    form = make(Heading("m", include_usage=True))
    steps = [
        Started(0),
        Text(0, "a"),
        Started(1),
        Text(1, "b"),
        Text(0, "c"),
        Finished(0, "stop"),
        Finished(1, "length"),
        Counted(3, 3, 1),
    ]
    assert EventWriter(form).events(steps) == written_one_by_one(form, steps)


def test_steps_that_make_no_chunk_make_no_bytes() -> None:
    writer = EventWriter(CompletionForm(Heading("m")))
    assert writer.events([Started(0), Counted(3, 3, 1)]) == b""
    assert writer.events([]) == b""


def test_a_text_has_nothing_but_what_the_writer_looks_at() -> None:
    # Refusals come only from an upstream's translated chat completion, never to this writer.
    looked_at, elsewhere = ["index", "text", "tokens"], ["refused"]
    assert [field.name for field in fields(Text)] == [*looked_at, *elsewhere]
