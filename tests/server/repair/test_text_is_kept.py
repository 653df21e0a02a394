"""The text that goes out is the text that came in, whatever is wrong around it and however the bytes are split."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonogo_server.repair.base import Requested
from gonogo_server.repair.stream import StreamRepair
from hypothesis import given, settings
from hypothesis import strategies as st
from server.repair.gateway import NOW, chunks, streamed, text_of
from server.repair.test_stream import HEAD, USAGE, piece

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.repair.base import Document

COUNTED = Requested("chat", "m", stream=True, include_usage=True, fresh_id="chatcmpl-fresh", now=NOW)
TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), max_size=8)


def _each(edit: Callable[[int, Document], Any]) -> Callable[[list[Document]], None]:
    def change(sent: list[Document]) -> None:
        for number, chunk in enumerate(sent):
            edit(number, chunk)

    return change


def _choice(edit: Callable[[Document], Any]) -> Callable[[list[Document]], None]:
    return _each(lambda _, chunk: [edit(choice) for choice in chunk["choices"]])


def _finish_with_text(sent: list[Document]) -> None:
    last = sent.pop(-2)
    sent[-2]["choices"][0]["finish_reason"] = last["choices"][0]["finish_reason"]


DOCUMENTS: dict[str, Callable[[list[Document]], None]] = {
    "roles": _choice(lambda choice: choice["delta"].update(role="assistant")),
    "ids": _each(lambda number, chunk: chunk.update(id=str(number))),
    "no ids": _each(lambda _, chunk: chunk.pop("id", None)),
    "object": _each(lambda _, chunk: chunk.update(object="x")),
    "milliseconds": _each(lambda number, chunk: chunk.update(created=NOW * 1000 + number)),
    "no index": _choice(lambda choice: choice.pop("index", None)),
    "messages": _choice(lambda choice: choice.update(message=choice.pop("delta", {}))),
    "empty reason": _choice(lambda choice: choice.update(finish_reason=choice["finish_reason"] or "")),
    "usage everywhere": _each(lambda _, chunk: chunk.update(usage=USAGE)),
    "null errors": _each(lambda _, chunk: chunk.update(error=None)),
    "finish twice": lambda sent: sent.insert(-1, json.loads(json.dumps(sent[-2]))),
    "finish with text": _finish_with_text,
    "usage first": lambda sent: sent.insert(0, sent.pop()),
    "empty chunk": lambda sent: sent.insert(0, {**HEAD, "id": "", "choices": []}),
}
BYTES: dict[str, Callable[[bytes], bytes]] = {
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "cr": lambda data: data.replace(b"\n", b"\r"),
    "no space": lambda data: data.replace(b"data: ", b"data:"),
    "bom": lambda data: b"\xef\xbb\xbf" + data,
    "comments": lambda data: data.replace(b"\n\n", b"\n\n: ping\n\n"),
    "named": lambda data: data.replace(b"data: ", b"event: x\ndata: "),
    "in pairs": lambda data: data.replace(b"}\n\ndata: {", b"}{", 2),
    "bare": lambda data: data.replace(b"data: ", b""),
    "done twice": lambda data: data + b"data: [DONE]\n\n",
    "no done": lambda data: data.replace(b"data: [DONE]\n\n", b""),
    "unclosed": lambda data: data.rstrip(b"\n"),
}


@settings(max_examples=150, deadline=None)
@given(
    TEXTS,
    st.lists(st.sampled_from(sorted(DOCUMENTS)), max_size=4, unique=True),
    st.lists(st.sampled_from(sorted(BYTES)), max_size=2, unique=True),
    st.integers(1, 400),
    st.sampled_from(["escaped", "raw"]),
)
def test_no_mistake_around_it_changes_a_text(
    texts: list[str], wrong: list[str], written: list[str], size: int, form: str
) -> None:
    sent = [piece({"role": "assistant", "content": ""}), *(piece({"content": text}) for text in texts)]
    sent += [piece({}, "stop"), {**HEAD, "choices": [], "usage": USAGE}]
    for name in sorted(wrong, key=list(DOCUMENTS).index):
        DOCUMENTS[name](sent)
    data = b"".join(
        b"data: " + json.dumps(one, ensure_ascii=form == "escaped").encode() + b"\n\n" for one in sent
    )
    data += b"data: [DONE]\n\n"
    for name in sorted(written, key=list(BYTES).index, reverse=True):
        data = BYTES[name](data)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    out, error = streamed(pieces, StreamRepair(COUNTED, lambda _: None))
    assert error is None
    found = chunks(out)
    assert text_of(found) == "".join(texts)
    assert out.count(b"data: [DONE]\n\n") == 1
    assert len({(chunk["id"], chunk["object"], chunk["created"]) for chunk in found}) == 1
    ends = [choice["finish_reason"] for chunk in found for choice in chunk["choices"]]
    assert [end for end in ends if end] == ["stop"]
    assert [chunk["usage"] for chunk in found if chunk.get("usage")] == [USAGE]
