"""Two replicas on Ray Serve: the verdict of `gonogo check`, which replica answers, and what is lost with one of them.

They are started once for each engine, which takes 15 seconds, and end during the test: so these are two tests.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from .conftest import PATIENCE, Replicated, serving

if TYPE_CHECKING:
    from pathlib import Path


ENDLESS = {
    "model": "scripted",
    "messages": [{"role": "user", "content": "Hi"}],
    "stream": True,
    # The end token never comes, so there are as many as fit.
    "logit_bias": {"257": -100},
}
SHORT = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}]}
OF_CHATS = ("--only", "chat.response", "--only", "chat.stream", "--only", "stream", "--timeout", "120")
UNDER_WAY = 6
"""The number of open streams when a replica dies."""


def check(url: str, report: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, report and output of `gonogo check`."""
    ran = subprocess.run(
        [sys.executable, "-m", "gonogo", "check", url, "--json", report, *options],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return ran.returncode, json.loads(report.read_text()), ran.stdout


@pytest.mark.unmeasured
def test_two_replicas_keep_what_one_process_promises(ray_python: Path, tmp_path: Path) -> None:
    with serving(ray_python, "--engine", "scripted") as replicated:
        _are_go_and_both_answer(replicated, tmp_path)
        _a_response_has_one_id(replicated)
        _a_client_that_leaves_stops_the_generation_in_its_replica(replicated)
        _with_a_replica_its_open_requests_are_lost_and_no_other(replicated)
        _at_a_signal_they_drain_and_end(replicated)


@pytest.mark.unmeasured
def test_two_replicas_of_a_real_model_keep_the_rules_about_chats(ray_python: Path, tmp_path: Path) -> None:
    with serving(ray_python, "--model", "smollm2") as replicated:
        status, report, said = check(replicated.url, tmp_path / "report.json", *OF_CHATS)
        assert status == 0, said
        assert (report["verdict"], report["target"]["model"]) == ("go", "smollm2")
        assert len(replicated.replicas()) == 2


def _are_go_and_both_answer(replicated: Replicated, tmp_path: Path) -> None:
    status, report, said = check(replicated.url, tmp_path / "report.json")
    assert status == 0, said
    assert report["verdict"] == "go"
    assert len(replicated.replicas()) == 2


def _a_response_has_one_id(replicated: Replicated) -> None:
    answer = httpx2.get(f"{replicated.url}/models", headers={"x-request-id": "mine"}, timeout=PATIENCE)
    assert answer.headers.get_list("x-request-id") == ["mine"]


def _a_client_that_leaves_stops_the_generation_in_its_replica(replicated: Replicated) -> None:
    with httpx2.stream(
        "POST",
        f"{replicated.url}/chat/completions",
        json=ENDLESS,
        headers={"x-request-id": "leaves"},
        timeout=PATIENCE,
    ) as answer:
        next(answer.iter_lines())
    ended = replicated.wait("request_finished", lambda told: told["request_id"] == "leaves")
    assert ended["error"] == "client_disconnected"


def _with_a_replica_its_open_requests_are_lost_and_no_other(replicated: Replicated) -> None:
    doomed = next(iter(replicated.replicas()))
    asyncio.run(_kill_under_load(replicated, doomed))


async def _kill_under_load(replicated: Replicated, doomed: int) -> None:
    async with httpx2.AsyncClient(base_url=replicated.url, timeout=PATIENCE) as client:
        begun = [asyncio.Event() for _ in range(UNDER_WAY)]
        streams = [
            asyncio.create_task(_whole(client, f"stream-{number}", begun[number]))
            for number in range(UNDER_WAY)
        ]
        await asyncio.gather(*(event.wait() for event in begun))
        os.kill(doomed, signal.SIGKILL)
        asked = [client.post("/chat/completions", json=SHORT) for _ in range(2 * UNDER_WAY)]
        statuses = {answer.status_code for answer in await asyncio.gather(*asked)}
        whole = await asyncio.gather(*streams)
    assert statuses == {200}
    served = {told["request_id"] for pid, told in replicated.log if pid == doomed}
    assert whole == [f"stream-{number}" not in served for number in range(UNDER_WAY)]


async def _whole(client: httpx2.AsyncClient, name: str, begun: asyncio.Event) -> bool:
    """Whether a stream ended normally."""
    last = ""
    try:
        async with client.stream(
            "POST", "/chat/completions", json=ENDLESS, headers={"x-request-id": name}
        ) as answer:
            async for line in answer.aiter_lines():
                begun.set()
                last = line or last
    except httpx2.RemoteProtocolError:
        return False
    return last == "data: [DONE]"


def _at_a_signal_they_drain_and_end(replicated: Replicated) -> None:
    replicated.process.send_signal(signal.SIGTERM)
    assert replicated.process.wait(PATIENCE) == 0
