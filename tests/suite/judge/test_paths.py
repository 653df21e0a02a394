from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo.exchange import Exchange, Request
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from conftest import Judge, Make

RULE = "When any request is refused\nThen no file of the server is named in the refusal"
KEY = "POST /chat/completions raw {not json"


def refusal(message: str, make: Make) -> Exchange:
    return make({"error": {"message": message}}, status=400, key=KEY)


@pytest.mark.parametrize(
    "message",
    [
        "[Errno 2] No such file or directory: '/home/ada/models/config.json'",
        "see /usr/local/lib/python3.11/site-packages/vllm/engine.py",
        "cannot open C:\\Users\\ada\\model.gguf",
        "could not read (/var/lib/models/x.bin)",
    ],
)
def test_a_file_of_the_server_is_named(message: str, make: Make, judged: Judge) -> None:
    assert judged(RULE, refusal(message, make), level="should").verdict is Verdict.WARN


@pytest.mark.parametrize(
    "message",
    [
        "POST /v1/chat/completions: no such field",
        "/messages/0/content is no string",
        "see https://example.org/home/docs/errors",
        "application/json and text/plain are taken",
        "use /tmp for that",
        "either/or",
    ],
)
def test_paths_of_an_api_and_pointers_are_no_files(message: str, make: Make, judged: Judge) -> None:
    assert judged(RULE, refusal(message, make), level="should").verdict is Verdict.PASS


def test_a_stack_trace_is_reported_by_its_own_rule(make: Make, judged: Judge) -> None:
    trace = 'Traceback (most recent call last):\n  File "/home/ada/app/server.py", line 7, in chat'
    assert judged(RULE, refusal(trace, make), level="should").verdict is Verdict.PASS


def test_text_from_the_request_may_be_repeated_in_the_error(make: Make, judged: Judge) -> None:
    found = refusal("there is no model /opt/models/tiny", make)
    request = Request("POST", "/x", body=b'{"model": "/opt/models/tiny"}')
    asked = Exchange("x1", KEY, request, 400, found.headers, found.chunks, None, 0.5)
    assert judged(RULE, asked, level="should").verdict is Verdict.PASS
