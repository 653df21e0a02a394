"""The HTML page is one file that loads nothing, shows everything in the report, and lets no answer act in it."""

from __future__ import annotations

import base64
import hashlib
import html as stdlib_html
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from gonogo.exchange import Chunk, Exchange, Failure, FailureKind, Request
from gonogo.report import html
from gonogo.report.html.bars import bar
from gonogo.report.html.body import lines
from gonogo.report.html.marking import Piece, difference, pointed_at, span_of
from gonogo.report.html.page import page
from gonogo.report.html.picture import picture
from gonogo.report.timeline import Kind, kinds, timeline
from gonogo.verdict import Evidence, Judgement, Level, Position, Rule, Verdict
from hostile_texts import HOSTILE, hostile

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.report.model import Report

EVENTS = ("text/event-stream",)
ACTING = {"script", "style", "title", "meta", "a", "button", "input"}
VOID = {"meta", "link", "br", "input", "img", "hr"}


class Tags(HTMLParser):
    """The tags of a page with their attributes; `open` are those that were never closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


def stream(*pieces: tuple[float, bytes], failure: Failure | None = None) -> Exchange:
    """A streamed answer of these pieces at these seconds."""
    chunks = tuple(Chunk(at, data) for at, data in pieces)
    end = chunks[-1].at if chunks else 0.1
    request = Request("POST", "/chat/completions", body=b'{"stream": true}')
    return Exchange("x1", "a stream", request, 200, (("content-type", *EVENTS),), chunks, failure, end)


def delta(text: str) -> bytes:
    return b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n' % text.encode()


# ---- the page ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdicts", [[Verdict.PASS], [Verdict.ERROR], [Verdict.INCONCLUSIVE], list(Verdict)])
def test_every_tag_is_closed_and_every_id_is_unique(
    make: Callable[..., Report], verdicts: list[Verdict]
) -> None:
    tags = Tags(html.render(make(*verdicts)))
    ids = [attributes["id"] for _, attributes in tags.found if "id" in attributes]
    links = [attributes["href"] for tag, attributes in tags.found if tag == "a"]

    assert tags.open == []
    assert len(ids) == len(set(ids))
    assert {str(link).removeprefix("#") for link in links} <= set(ids)


def test_the_policy_allows_the_one_style_and_the_one_script_of_the_page_and_nothing_else(
    make: Callable[..., Report],
) -> None:
    text = html.render(make(*Verdict))
    style, script = (re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("style", "script"))
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', text)
    assert style is not None
    assert script is not None
    assert policy is not None
    digests = [
        base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode() for found in (style, script)
    ]

    assert stdlib_html.unescape(policy[1]) == (
        f"default-src 'none'; style-src 'sha256-{digests[0]}'; script-src 'sha256-{digests[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_page_refers_to_nothing_outside_itself(make: Callable[..., Report]) -> None:
    tags = Tags(html.render(make(*Verdict)))
    attributes = [(name, value) for _, found in tags.found for name, value in found.items()]

    assert {name for name, _ in attributes if name in {"src", "srcset", "data", "action", "style"}} == set()
    assert not [name for name, _ in attributes if name.startswith("on")]
    assert all(str(value).startswith("#") for name, value in attributes if name == "href")


def test_text_from_a_target_is_escaped(
    make: Callable[..., Report],
) -> None:
    plain = Tags(html.render(hostile(make, "harmless")))
    tags = Tags(text := html.render(hostile(make)))

    assert {tag for tag, _ in tags.found} - {tag for tag, _ in plain.found} <= {
        "tr",
        "td",
        "mark",
        "span",
        "text",
    }
    assert [found for tag, found in tags.found if tag in ACTING] == [
        found for tag, found in plain.found if tag in ACTING
    ]
    assert {name for _, found in tags.found for name in found} - {n for _, f in plain.found for n in f} <= {
        "text-anchor",
    }
    assert {character for character in text if not character.isprintable()} == {"\n"}
    assert all(stdlib_html.escape(word) in text for word in ("<script>", "</script>", "{{ 7 * 7 }}"))
    assert r"\u202e" in text
    assert len(HOSTILE) > 10


def test_the_verdict_the_totals_and_the_first_cause_come_first(make: Callable[..., Report]) -> None:
    text = html.render(make(Verdict.PASS, Verdict.FAIL, Verdict.WARN))
    places = [
        text.index(word)
        for word in ("NO-GO</span>", "1 must rule is broken, with one cause", ">Failures</h2>")
    ]
    places += [text.index(word) for word in (">Warnings<", "Rules by group", ">Streams</h2>")]

    assert places == sorted(places)


def test_a_cause_has_the_requirement_the_bytes_the_clients_the_command_and_a_link_to_its_rule(
    make: Callable[..., Report],
) -> None:
    text = html.render(make(Verdict.FAIL))
    cause = text[text.index('id="cause-chat.stream.done"') : text.index("Rules by group")]

    for told in (
        "Title of chat.stream.done",
        "source of chat.stream.done",
        "reason of chat.stream.done",
        '<mark class="right">[DONE]</mark>',
        r'<mark class="wrong">the stream ended \x1b[31mwithout it</mark>',
        "byte 6 after 0.250 s",
        "curl -sS -i -N http://127.0.0.1:8000/v1/chat/completions",
        'href="#chat.stream.done"',
        "Timeline of x2: ",
    ):
        assert told in cause


def test_a_run_of_300_broken_rules_stays_under_two_megabytes(make: Callable[..., Report]) -> None:
    body = b"".join(delta("x" * 5000) for _ in range(40))
    report = make(*(failed(number) for number in range(300)))
    long = replace(report.exchanges["x2"], chunks=(Chunk(0.25, body),))
    text = html.render(replace(report, exchanges={**report.exchanges, "x2": long}))

    assert 400_000 < len(text.encode()) < 2_000_000


def failed(number: int) -> Judgement:
    rule = Rule(f"chat.made.r{number}", f"Rule {number}", Level.MUST, "schema", "somebody")
    return Judgement(
        rule, Verdict.FAIL, "this", "y" * 2000, evidence=(Evidence("x2"),), broken=1, looked_at=1
    )


def test_a_page_with_a_script_of_its_own_has_it_behind_the_shared_one() -> None:
    text = page("base.html", scripts=("base.js", "report.js"))

    assert text.index("gonogo-theme") < text.index("hashchange")


# ---- what is marked ------------------------------------------------------------------------------------------


def test_words_that_differ_are_marked_and_texts_with_little_in_common_as_a_whole() -> None:
    assert difference("a status of 400", "a status of 404") == (
        [Piece("a status of "), Piece("400", "right")],
        [Piece("a status of "), Piece("404", "wrong")],
    )
    assert difference("2 choices", "there is 1") == (
        [Piece("2 choices", "right")],
        [Piece("there is 1", "wrong")],
    )


def test_of_a_value_in_place_of_another_both_are_marked() -> None:
    _, actual = difference("/object as the schema says", '/object: "a" in place of "b"')

    assert actual == [
        Piece("/object: "),
        Piece('"a"', "wrong"),
        Piece(" in place of "),
        Piece('"b"', "right"),
    ]


@pytest.mark.parametrize(
    ("actual", "steps"),
    [
        ('/a/0/b: "x" in place of "y"', ["a", "0", "b"]),
        ('/a/b: "b" is missing', ["a"]),
        ("/a~1b: 1", ["a/b"]),
        ("there is none", None),
        (None, None),
    ],
)
def test_a_pointer_leads_to_the_value_or_to_the_object_that_lacks_it(
    actual: str | None, steps: list[str] | None
) -> None:
    assert pointed_at(actual) == steps


@pytest.mark.parametrize(
    ("text", "steps", "found"),
    [
        (' {"a": [1, {"b": "c"}], "d": 2}', ["a", "1", "b"], '"b": "c"'),
        ('{"a": [1, {"b": "c"}], "d": 2}', ["d"], '"d": 2'),
        ('{"a": [1, {"b": "c"}], "d": 2}', ["a", "0"], "1"),
        ('{"a": 1}', [], '{"a": 1}'),
        ('{"a": 1}', ["b"], None),
        ('{"a": 1', ["b"], None),
        ("[", ["0"], None),
        ("", ["a"], None),
        ("[" * 5000, ["0"], None),
    ],
)
def test_the_span_of_a_value_has_its_name(text: str, steps: list[str], found: str | None) -> None:
    span = span_of(text, steps)

    assert (None if span is None else text[slice(*span)]) == found


def test_the_value_that_is_wrong_is_marked_in_its_line_and_far_lines_are_left_out() -> None:
    body = b"".join(delta(str(number)) for number in range(30))
    exchange = stream((0.5, body))
    place = body.index(b'"15"') - 41
    shown = lines(exchange, Position(place, 0.5, ""), '/choices/0/delta/content: "15" in place of "16"')
    (it,) = [line for line in shown if line.is_it]

    assert [piece.text for piece in it.pieces if piece.mark == "wrong"] == ['"content": "15"']
    assert [line.left_out for line in shown if line.left_out] == [12, 11]
    assert (it.offset, it.at) == (place, 0.5)


def test_a_long_line_is_cut_around_its_mark() -> None:
    exchange = stream((0.5, b'{"a": "%s", "b": 1, "c": "%s"}' % (b"x" * 9000, b"y" * 9000)))
    (line,) = lines(exchange, None, "/b: 1 in place of 2")

    assert [piece.text for piece in line.pieces if piece.mark] == [
        "… 8750 characters …",
        '"b": 1',
        "… 8576 characters …",
    ]
    assert sum(len(piece.text) for piece in line.pieces) < 1000


def test_an_answer_without_a_body_has_no_lines() -> None:
    assert lines(stream(), None, None) == ()


# ---- timelines -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("[DONE]", {Kind.DONE}),
        ('{"choices": [{"delta": {"role": "assistant", "content": ""}}]}', {Kind.OTHER}),
        (
            '{"choices": [{"text": "a", "finish_reason": "stop"}], "usage": {}}',
            {Kind.TEXT, Kind.FINISH, Kind.USAGE},
        ),
        ('{"choices": [{"delta": {"tool_calls": [{}]}}], "usage": null}', {Kind.TEXT}),
        ('{"error": {"message": "no"}}', {Kind.ERROR}),
        ("[]", {Kind.OTHER}),
        ("{", {Kind.OTHER}),
        ('{"choices": 7}', {Kind.OTHER}),
        ('{"choices": [7]}', {Kind.OTHER}),
        ('{"type": "response.created", "response": {"usage": null}}', {Kind.OTHER}),
        ('{"type": "response.output_text.delta", "delta": "a"}', {Kind.TEXT}),
        ('{"type": "response.function_call_arguments.delta", "delta": "{"}', {Kind.TEXT}),
        ('{"type": "response.completed", "response": {"usage": {}}}', {Kind.FINISH, Kind.USAGE}),
        ('{"type": "response.failed", "response": 7}', {Kind.ERROR}),
        ('{"type": "content_block_delta", "delta": {"type": "text_delta"}}', {Kind.TEXT}),
        (
            '{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}}',
            {Kind.FINISH, Kind.USAGE},
        ),
        ('{"type": "error", "error": {"message": "no"}}', {Kind.ERROR}),
    ],
)
def test_an_event_is_of_every_kind_that_it_has_a_part_of(data: str, found: set[Kind]) -> None:
    assert set(kinds(data)) == found


def test_an_event_arrives_with_its_last_byte_and_a_comment_with_its_first() -> None:
    event = delta("a")
    known = timeline(stream((1.0, b": alive\n\n" + event[:5]), (2.0, event[5:]), (5.0, b"data: [DONE]\n\n")))

    assert [(mark.kind, mark.at) for mark in known.marks] == [
        (Kind.COMMENT, 1.0),
        (Kind.TEXT, 2.0),
        (Kind.DONE, 5.0),
    ]
    assert known.longest_gap == (2.0, 5.0)


def test_a_stream_that_was_held_back_is_one_tower_and_says_so() -> None:
    shown = picture(stream((2.0, b"".join(map(delta, "abcdefgh")) + b"data: [DONE]\n\n")))

    assert [number for _, _, number in shown.towers] == [8]
    assert "8 text events in 1 arrival" in shown.words
    assert shown.gap is None
    assert "no usage" in shown.words
    assert "[DONE] at 2 s" in shown.words


def test_a_stream_of_named_events_is_not_said_to_lack_a_done() -> None:
    named = (
        b'event: response.output_text.delta\ndata: {"type": "response.output_text.delta", "delta": "a"}\n\n'
    )
    shown = picture(stream((0.1, named)))

    assert "no finish" in shown.words
    assert "no [DONE]" not in shown.words


def test_a_stall_is_a_band_with_its_length_and_an_even_stream_has_none() -> None:
    even = picture(stream(*((n / 10, delta("a")) for n in range(1, 40))))
    stalled = picture(stream((0.1, delta("a")), (3.1, delta("b")), (3.2, delta("c"))))

    assert even.gap is None
    assert even.towers == ()
    assert stalled.gap is not None
    assert stalled.gap.told == "3 s"


def test_a_stream_that_broke_is_shown_with_where_it_did() -> None:
    failure = Failure(FailureKind.RESET, 0.5, "the connection broke")
    shown = picture(stream((0.25, delta("a")), failure=failure), offending=0.25)

    assert shown.cut == 792
    assert shown.offending is not None
    assert shown.sentence.endswith("the connection broke after 500 ms.")


def test_a_stream_of_which_nothing_came_has_a_picture_too() -> None:
    shown = picture(stream())

    assert (shown.ticks, shown.signs, shown.waiting) == ((), (), None)
    assert shown.words[0] == "no text"


# ---- bars ----------------------------------------------------------------------------------------------------


def test_a_bar_is_whole_and_one_of_a_thousand_is_seen_in_it() -> None:
    parts = bar({Verdict.PASS: 999, Verdict.FAIL: 1, Verdict.NOT_APPLICABLE: 50})

    assert [(part.verdict, part.number) for part in parts] == [(Verdict.FAIL, 1), (Verdict.PASS, 999)]
    assert parts[0].width > 10
    assert sum(part.width for part in parts) == pytest.approx(1000, abs=1)


def test_not_applicable_rules_are_shown_in_a_bar_only_without_others() -> None:
    assert [part.verdict for part in bar({Verdict.NOT_APPLICABLE: 3})] == [Verdict.NOT_APPLICABLE]
    assert bar({}) == ()
