"""Settings: their sources, which of them wins, and the message about an invalid one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server import options, serve
from gonogo_server.errors import BadSettings
from gonogo_server.settings import Settings, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str], str]

GIB = 1024**3


@pytest.fixture(autouse=True)
def without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"GONOGO_SERVER_{name.upper()}", raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a settings file and returns its path."""

    def written(toml: str) -> str:
        path = tmp_path / "gonogo.toml"
        path.write_text(toml)
        return str(path)

    return written


def given(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that the command would use."""
    served: list[Settings] = []
    monkeypatch.setattr(serve, "run", lambda settings: served.append(settings) or 0)
    assert serve.main(arguments) == 0
    return served[0]


def test_an_option_wins_over_a_variable_over_the_file_over_the_default(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write('host = "file"\nport = 1\nmax_queue = 1\n')
    monkeypatch.setenv("GONOGO_SERVER_HOST", "variable")
    monkeypatch.setenv("GONOGO_SERVER_PORT", "2")
    settings = given(["--config", path, "--host", "option", "--insecure"], monkeypatch)
    assert (settings.host, settings.port, settings.max_queue, settings.max_running) == ("option", 2, 1, 16)


def test_a_variable_may_name_the_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONOGO_SERVER_CONFIG", write('models = ["a", "b"]\napi_key = "s3cret"\n'))
    settings = read({})
    assert settings.models == ("a", "b")
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "s3cret"


def test_every_setting_but_the_key_and_origins_has_an_option_of_its_name() -> None:
    names = {action.dest for action in options.parser()._actions if action.help != argparse.SUPPRESS}
    assert set(Settings.model_fields) - names == {"api_key", "cors_origins"}
    assert names - set(Settings.model_fields) == {"help", "print_config"}


def test_options_take_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (
        "--max-running 4 --max-queue 0 --prefill-step 256 --kv-cache-bytes 2GiB --model-memory-bytes 512MiB"
    )
    arguments += " --idle-unload-seconds 60 --request-timeout 1.5 --drain-seconds 0 --max-json-depth 9"
    arguments += " --max-body-bytes 1MiB --preload a,b --log-format json --log-prompts --metrics"
    arguments += " --batch-bytes 3GiB --max-json-parts 7 --max-json-values 8"
    arguments += " --allowed-host a.example --allowed-host b.example"
    arguments += " --early-headers 0.5"
    arguments += " --max-connections 5 --head-timeout 1 --body-idle-timeout 2 --body-timeout 3"
    settings = given(arguments.split(), monkeypatch)
    assert (settings.max_running, settings.max_queue, settings.prefill_step) == (4, 0, 256)
    assert (settings.kv_cache_bytes, settings.model_memory_bytes) == (2 * GIB, GIB // 2)
    assert settings.batch_bytes == 3 * GIB
    assert (settings.idle_unload_seconds, settings.request_timeout, settings.drain_seconds) == (60, 1.5, 0)
    assert (settings.max_json_depth, settings.max_body_bytes) == (9, 1024**2)
    assert (settings.max_json_parts, settings.max_json_values) == (7, 8)
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert settings.early_headers == 0.5
    assert (settings.max_connections, settings.head_timeout) == (5, 1)
    assert (settings.body_idle_timeout, settings.body_timeout) == (2, 3)
    assert (settings.preload, settings.log_format) == (("a", "b"), "json")
    assert settings.log_prompts
    assert settings.metrics


@pytest.mark.parametrize(("text", "size"), [("0", 0), ("1000", 1000), ("1kB", 1000), ("1GiB", GIB), (7, 7)])
def test_sizes_are_numbers_of_bytes_or_texts_with_a_unit(text: object, size: int) -> None:
    assert read({"kv_cache_bytes": text}).kv_cache_bytes == size


@pytest.mark.parametrize(
    ("text", "value"),
    [("yes", True), ("no", False), ("TRUE", True), ("0", False), ("a", ("a",)), ("a, b/c,", ("a", "b/c"))],
)
def test_preload_is_all_none_or_names(text: str, value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONOGO_SERVER_PRELOAD", text)
    assert read({}).preload == value


def test_the_file_may_hold_lists_switches_and_sizes(write: Write) -> None:
    settings = read({"config": write('preload = false\nmodels = "a, b"\nkv_cache_bytes = "1GiB"\n')})
    assert (settings.preload, settings.models, settings.kv_cache_bytes) == (False, ("a", "b"), GIB)


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        (
            "prot = 8000",
            "There is no setting 'prot' (from the file): gonogo serve --help lists the settings.",
        ),
        ("port = 'x'", "The setting 'port' (from the file) is invalid: Input should be a valid integer"),
        ("[server]\nport = 1", "There is no setting 'server' (from the file)"),
        (
            "models = [1]",
            "The setting 'models.0' (from the file) is invalid: Input should be a valid string.",
        ),
        ("preload = 5", "The setting 'preload' (from the file) is invalid"),
        ("request_timeout = inf", "The setting 'request_timeout' (from the file) is invalid"),
        ("port =", "are not valid TOML: Invalid value (at end of document)."),
    ],
)
def test_a_fault_in_the_file_is_one_sentence_and_code_2(
    write: Write, capsys: pytest.CaptureFixture[str], toml: str, sentence: str
) -> None:
    assert serve.main(["--config", write(toml)]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.startswith("gonogo serve: The")
    assert told.count("\n") == 1


def test_a_missing_file_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve.main(["--config", "nowhere.toml"]) == 2
    assert capsys.readouterr().err == (
        "gonogo serve: Cannot read the settings in nowhere.toml: No such file or directory.\n"
    )


def test_a_faulty_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONOGO_SERVER_MAX_QUEUE", "-1")
    with pytest.raises(
        BadSettings, match=r"'max_queue' \(from the variable GONOGO_SERVER_MAX_QUEUE\) is invalid"
    ):
        read({})


@pytest.mark.parametrize(
    "options",
    [
        {"max_running": 0},
        {"max_body_bytes": 0},
        {"kv_cache_bytes": "-1"},
        {"kv_cache_bytes": "2 apples"},
        {"request_timeout": "0"},
        {"drain_seconds": "-1"},
        {"early_headers": "-1"},
        {"max_json_depth": "0"},
        {"prefill_step": "half"},
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused_by_name(options: dict[str, Any]) -> None:
    with pytest.raises(BadSettings, match=f"The setting '{next(iter(options))}' is invalid: "):
        read(options)


def test_a_refusal_does_not_contain_a_key_from_the_file(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve.main(["--config", write('api_key = ["s3cret"]')]) == 2
    assert "s3cret" not in capsys.readouterr().err


@pytest.mark.parametrize(("text", "seconds"), [("no", None), ("0", 0), ("2.5", 2.5)])
def test_streams_may_begin_at_once_later_or_with_their_first_token(text: str, seconds: float | None) -> None:
    assert read({"early_headers": text}).early_headers == seconds


@pytest.mark.parametrize("key", ["", "  "])
def test_an_empty_key_is_refused(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONOGO_SERVER_API_KEY", key)
    with pytest.raises(BadSettings) as refused:
        read({})
    assert str(refused.value) == (
        "The setting 'api_key' (from the variable GONOGO_SERVER_API_KEY) is invalid:"
        " the key is empty: set one, or remove it to accept any client."
    )


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("GONOGO_SERVER_APIKEY", "unset it, or did you mean GONOGO_SERVER_API_KEY?"),
        ("gonogo_server_prot", "unset it, or did you mean GONOGO_SERVER_PORT?"),
        ("GONOGO_SERVER_XYZZY", "unset it, or gonogo serve --help lists the settings."),
    ],
)
def test_an_unknown_variable_is_named(
    name: str, advice: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "sesame")
    assert serve.main(["--engine", "scripted"]) == 2
    told = capsys.readouterr().err
    assert told == f"gonogo serve: There is no setting for the variable {name}: {advice}\n"


@pytest.mark.parametrize("name", ["GONOGO_SERVER_MAX_QUEUE", "gonogo_server_max_queue"])
def test_variables_are_read_in_any_case(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "3")
    assert read({}).max_queue == 3


SERVICE_LINKS = {
    "GONOGO_SERVER_SERVICE_HOST": "10.0.0.11",
    "GONOGO_SERVER_SERVICE_PORT": "8000",
    "GONOGO_SERVER_SERVICE_PORT_HTTP": "8000",
    "GONOGO_SERVER_PORT": "tcp://10.0.0.11:8000",
    "GONOGO_SERVER_PORT_8000_TCP": "tcp://10.0.0.11:8000",
    "GONOGO_SERVER_PORT_8000_TCP_PROTO": "tcp",
    "GONOGO_SERVER_PORT_8000_TCP_PORT": "8000",
    "GONOGO_SERVER_PORT_8000_TCP_ADDR": "10.0.0.11",
    "GONOGO_SERVER_CANARY_SERVICE_HOST": "10.0.0.12",
    "GONOGO_SERVER_CANARY_PORT": "udp://10.0.0.12:53",
}
"""The variables that Kubernetes sets for the Services `gonogo-server` and `gonogo-server-canary`."""


def test_service_variables_of_kubernetes_are_ignored(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVICE_LINKS.items():
        monkeypatch.setenv(name, value)
    assert read({}).port == 8000
    assert read({"config": write("port = 9")}).port == 9
    with pytest.raises(BadSettings, match=r"The setting 'port' \(from the file\) is invalid"):
        read({"config": write("port = 'x'")})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("GONOGO_SERVER_PORT", "8000/tcp", r"'port' \(from the variable GONOGO_SERVER_PORT\) is invalid"),
        ("GONOGO_SERVER_CANARY_PORT", "8000", "no setting for the variable GONOGO_SERVER_CANARY_PORT"),
        ("GONOGO_SERVER_PORT_8000", "8000", "no setting for the variable GONOGO_SERVER_PORT_8000"),
    ],
)
def test_other_variables_like_those_of_kubernetes_are_not_ignored(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=sentence):
        read({})
