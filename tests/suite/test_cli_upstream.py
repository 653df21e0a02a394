"""`gonogo check --upstream-faults`: its output, and options that exclude it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    Run = Callable[..., Result]

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--upstream-faults",), "--upstream-faults checks a gateway: give its base URL."),
        (
            (NOWHERE, "--upstream-port", "9001"),
            "--upstream-host, --upstream-port and --upstream-wait need --upstream-faults.",
        ),
        (
            (NOWHERE, "--upstream-faults", "--fuzz"),
            "--upstream-faults and --fuzz exclude each other; remove one of them.",
        ),
        (
            (NOWHERE, "--upstream-faults", "--model", "a", "--model", "b"),
            "--upstream-faults uses one model, the one of the upstream; give --model at most once.",
        ),
        (
            (NOWHERE, "--upstream-faults", "--only", "chat.stream"),
            "--upstream-faults judges the group gateway, but --only and --skip leave none of its rules.",
        ),
        (
            (NOWHERE, "--only", "gateway"),
            "The rules of the group gateway need --upstream-faults.",
        ),
    ],
)
def test_impossible_options_are_refused_with_one_sentence(
    gonogo: Run, options: tuple[str, ...], sentence: str
) -> None:
    result = gonogo("check", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].endswith(sentence)


def test_a_gateway_with_another_upstream_gets_the_address_to_configure(
    gonogo: Run, reference_url: str
) -> None:
    result = gonogo(
        "check", reference_url, "--upstream-faults", "--upstream-wait", "0.6", "--model", "scripted"
    )
    first, second, waiting, last = result.stderr.splitlines()
    url = first.split()[7].rstrip(",")
    assert result.exit_code == 2
    assert first.startswith("Point a provider of your gateway at http://127.0.0.1:")
    assert second.startswith("For a second provider, if the gateway supports one: http://127.0.0.1:")
    assert waiting == "Waiting for the gateway …"
    assert f"sent no request to {url} within 0.6 s" in last
    assert last.endswith("point a provider of the gateway to this URL, or give its model with --model.")


def test_a_port_in_use_is_reported(gonogo: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = gonogo("check", NOWHERE, "--upstream-faults", "--upstream-port", port)
    assert result.exit_code == 2
    assert f"The upstream cannot listen on 127.0.0.1 port {port}: Address already in use." in result.stderr


def test_its_plan_has_its_own_requests_alone(gonogo: Run) -> None:
    lines = gonogo("check", NOWHERE, "--upstream-faults", "--plan").stdout.splitlines()
    assert all("gateway " in line for line in lines[:-1])
    assert "gateway" not in gonogo("check", NOWHERE, "--plan").stdout
