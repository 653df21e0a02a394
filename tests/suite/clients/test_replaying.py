"""A replay sends nothing, imports nothing before it is needed, and happens once for an exchange."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from clients.measured.canned_surfaces import message, message_stream, response_stream
from gonogo.clients import anthropic_python, httpx_sse, openai_python, openai_responses
from gonogo.clients.breakage import NotInstalled
from gonogo.evidence import Record, Target
from gonogo.judge import judge
from gonogo.reasons import Reason
from gonogo.report.wording import clause
from gonogo.rules import load
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.verdict import Judgement

    Make = Callable[..., Exchange]

CHAT = "/chat/completions"
MODELS = {"object": "list", "data": [{"id": "m"}]}
CHUNK = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}


def judged(rule_id: str, exchange: Exchange, stimulus: str) -> Judgement:
    record = Record(Target("http://127.0.0.1:8000/v1", "m"), "", (replace(exchange, stimulus=stimulus),))
    return judge(record, load().select([rule_id]), load())[0]


def test_no_replay_opens_a_connection_or_looks_up_a_name(
    whole: Make, streamed: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a replay went to the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    stream = streamed(CHAT, CHUNK, "[DONE]")

    assert openai_python.models(whole("/models", MODELS)) is None
    assert openai_python.chat_stream(stream) is None
    assert openai_responses.responses_stream(streamed("/responses", *response_stream())) is None
    assert anthropic_python.messages(whole("/messages", message()[0])) is None
    assert anthropic_python.messages_stream(streamed("/messages", *message_stream())) is None
    assert httpx_sse.stream(stream) is None


def test_a_body_that_was_decoded_when_it_was_recorded_is_not_decoded_again(
    whole: Make, streamed: Make
) -> None:
    framing = (("content-type", "application/json"), ("content-encoding", "gzip"), ("content-length", "7"))
    stream = (("content-type", "text/event-stream"), ("Content-Encoding", "gzip"))

    assert openai_python.models(replace(whole("/models", MODELS), headers=framing)) is None
    assert httpx_sse.stream(replace(streamed(CHAT, CHUNK, "[DONE]"), headers=stream)) is None


def test_an_exchange_is_replayed_once(whole: Make) -> None:
    exchange = whole("/models", {"data": None})

    assert openai_python.models(exchange) is openai_python.models(exchange)


@pytest.mark.parametrize(
    ("module", "rule_id", "stimulus"),
    [
        ("openai", "clients.openai_python.chat_stream", 'POST /chat/completions {"stream":true}'),
        ("httpx_sse", "clients.httpx_sse.stream", 'POST /chat/completions {"stream":true}'),
    ],
)
def test_without_the_client_its_rules_are_inconclusive_and_say_what_to_install(
    module: str, rule_id: str, stimulus: str, streamed: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # Python's own mark for a module that cannot be imported

    found = judged(rule_id, streamed(CHAT, CHUNK, "[DONE]"), stimulus)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.because is not None
    assert found.because.reason is Reason.NOT_INSTALLED
    assert 'install "gonogo[clients]"' in clause(found.because)


def test_a_stream_that_ends_in_an_error_is_not_held_against_it(streamed: Make) -> None:
    error = streamed(CHAT, CHUNK, {"error": {"message": "No."}})
    found = judged("clients.openai_python.chat_stream", error, 'POST /chat/completions {"stream":true}')

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.because is not None
    assert found.because.reason is Reason.ERROR_FRAME


def test_a_stream_that_is_read_is_what_the_pass_rests_on(streamed: Make) -> None:
    read = streamed(CHAT, CHUNK, "[DONE]")
    found = judged("clients.openai_python.chat_stream", read, 'POST /chat/completions {"stream":true}')

    assert found.verdict is Verdict.PASS
    assert [witness.exchange for witness in found.witnesses] == ["x1"]


def test_a_rule_that_is_broken_says_which_client_and_how(streamed: Make) -> None:
    broken = streamed(CHAT, {**CHUNK, "choices": None}, "[DONE]")
    found = judged("clients.openai_python.chat_stream", broken, 'POST /chat/completions {"stream":true}')

    assert found.verdict is Verdict.WARN
    assert found.actual is not None
    assert found.actual.startswith("openai-python ")
    assert "TypeError in for choice in chunk.choices" in found.actual
    assert [(piece.exchange, piece.actual) for piece in found.evidence] == [("x1", found.actual)]
    assert (found.broken, found.looked_at) == (1, 1)


def test_only_rules_of_clients_import_a_client() -> None:
    code = """
import sys
from gonogo.cli import main
from gonogo.evidence import Record, Target
from gonogo.judge import judge
from gonogo.rules import load
catalogue = load()
judge(Record(Target("http://127.0.0.1:8000/v1", "m"), "", ()), catalogue.select(skip=["clients"]), catalogue)
print(sorted({"openai", "httpx", "httpx_sse"} & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_a_missing_client_is_reported_with_the_install_command(
    whole: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)

    with pytest.raises(NotInstalled, match="openai-python is not installed"):
        openai_python.models(whole("/models", MODELS))
