"""The number of replicas, and settings that they do not support; without Ray."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec

import pytest
from gonogo_server import serve
from gonogo_server.errors import BadSettings
from gonogo_server.replicas import refusals
from gonogo_server.settings import Settings, read, shown


@pytest.fixture(autouse=True)
def without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset the settings of the machine that runs the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"GONOGO_SERVER_{name.upper()}", raising=False)


@pytest.mark.parametrize(
    ("given", "counted", "written"),
    [
        ("1", (1, 1), "1"),
        ("2", (2, 2), "2"),
        (3, (3, 3), "3"),
        ("1-4", (1, 4), "1-4"),
        (" 2-2 ", (2, 2), "2"),
    ],
)
def test_replicas_are_a_number_or_a_range(given: object, counted: tuple[int, int], written: str) -> None:
    settings = read({"replicas": given})
    assert settings.replicas == counted
    assert json.loads(shown(settings))["replicas"] == written


@pytest.mark.parametrize("given", ["0", "-1", "two", "4-1", "0-2", "1-", "1.5", "", True, [2], "2 3"])
def test_anything_else_is_refused_in_a_sentence_that_says_what_would_be_right(given: object) -> None:
    with pytest.raises(BadSettings, match=r"The setting 'replicas' is invalid: .*such as 1-4\."):
        read({"replicas": given})


def test_a_variable_counts_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONOGO_SERVER_REPLICAS", "1-4")
    assert read({}).replicas == (1, 4)


def test_without_replicas_there_is_one_process() -> None:
    assert read({}).replicas == (1, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--metrics"], "The setting 'metrics' is not supported with replicas: "),
        (["--port", "70000"], "The setting 'port' is invalid: "),
        (["--responses-store", "memory"], "Replicas do not share memory, "),
    ],
)
def test_settings_that_replicas_do_not_support_are_refused(
    capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert serve.main(["--engine", "scripted", "--replicas", "2", *options]) == serve.CANNOT_START
    told = capsys.readouterr().err
    assert told.startswith(f"gonogo serve: {said}")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("variable", "said"),
    [("MLX_RANK", "A model that mlx.launch splits over"), ("LANG", "There is no model")],
)
def test_models_that_replicas_cannot_serve_are_refused_before_ray_starts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variable: str, said: str
) -> None:
    monkeypatch.setenv(variable, "C")
    assert serve.main(["--model", "./not/there", "--replicas", "2"]) == serve.CANNOT_START
    assert capsys.readouterr().err.startswith(f"gonogo serve: {said}")


def test_without_the_extra_it_says_how_to_install_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("ray") is not None:
        monkeypatch.setitem(sys.modules, "ray", None)
    status = serve.main(["--engine", "scripted", "--replicas", "2", "--port", "0"])
    assert status == serve.CANNOT_START
    assert capsys.readouterr().err == (
        'gonogo serve: Ray Serve, which runs replicas, is not installed: run pip install "gonogo[ray]", or remove'
        " --replicas.\n"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"port": 8000, "insecure": True},
            "The setting 'port' is not supported with replicas: Ray Serve listens",
        ),
        (
            {"responses_store": "responses.db", "insecure": True},
            "The setting 'responses_store' is not supported with replicas: machines do not share a file",
        ),
        ({}, "Other machines can reach Ray Serve without a key: "),
    ],
)
def test_a_cluster_wants_a_key_and_an_address_of_its_own(options: dict[str, object], said: str) -> None:
    with pytest.raises(BadSettings, match=said):
        refusals.check_cluster(read(options))


def test_a_cluster_needs_a_key_or_is_open_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    refusals.check_cluster(read({"insecure": True}))
    monkeypatch.setenv("GONOGO_SERVER_API_KEY", "secret")
    refusals.check_cluster(read({}))
