"""Providers in options, variables and files, and the message about each mistake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from gonogo.rules import load
from gonogo_server import compose, serve
from gonogo_server.errors import BadSettings
from gonogo_server.options import parser
from gonogo_server.presets import PRESETS
from gonogo_server.provider_settings import base_url
from gonogo_server.settings import read, shown

if TYPE_CHECKING:
    from pathlib import Path


def given(*arguments: str) -> dict[str, object]:
    return vars(parser().parse_args(arguments))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1"),
        ("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1"),
        ("https://example.com/api/v1", "https://example.com/api/v1"),
        ("https://example.com/v1beta/openai/", "https://example.com/v1beta/openai"),
        ("https://example.com/v1?api-version=2", "https://example.com/v1?api-version=2"),
    ],
)
def test_a_base_url_is_taken_with_and_without_its_slash_and_v1(text: str, url: str) -> None:
    assert base_url(text) == url


@pytest.mark.parametrize(
    "text",
    ["localhost:8080", "ftp://example.com", "http://", "http://a:b@example.com", "http://example.com:x"],
)
def test_an_invalid_base_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        base_url(text)


def test_a_provider_may_have_several_servers() -> None:
    settings = read(given("--provider", "lab=http://a:1", "--provider", "lab=http://b:2"))
    assert settings.providers["lab"].urls == ("http://a:1/v1", "http://b:2/v1")


def test_a_known_name_needs_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONOGO_SERVER_PROVIDERS", "cerebras,lab=http://a:1")
    settings = read({})
    cerebras, lab = settings.providers["cerebras"], settings.providers["lab"]
    assert cerebras.urls == ("https://api.cerebras.ai/v1",)
    assert (cerebras.variable("cerebras"), lab.variable("lab-2")) == ("CEREBRAS_API_KEY", "LAB_2_API_KEY")


def test_a_file_says_more_of_a_provider(tmp_path: Path) -> None:
    file = tmp_path / "gonogo.toml"
    file.write_text(
        '[providers.lab]\nurl = "http://a:1"\nkey_variable = "LAB"\nidle_timeout = 7\nquirks = "r.json"\n'
    )
    settings = read({"config": file})
    lab = settings.providers["lab"]
    assert (lab.variable("lab"), lab.idle_timeout) == ("LAB", 7)
    assert str(settings.quirks_of("lab")) == "r.json"


def test_nothing_is_done_about_rules_that_the_file_passes_on(tmp_path: Path) -> None:
    broken = [{"id": rule, "verdict": "fail"} for rule in ("embeddings.response.usage", "tools.named.called")]
    (tmp_path / "r.json").write_text(json.dumps({"report_version": 2, "rules": broken}))
    file = tmp_path / "gonogo.toml"
    file.write_text(
        f'[providers.lab]\nurl = "http://a:1"\nquirks = "{tmp_path}/r.json"\n'
        'pass_on = ["embeddings.response.usage"]\n'
    )
    found = compose.quirks(read({"config": file}), "lab")
    assert [told.action for told in found.table()] == ["passed on", "refused"]


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if preset.broken])
def test_the_broken_rules_of_a_preset_exist_and_are_handled(name: str) -> None:
    broken = PRESETS[name].broken
    assert set(broken) <= {scenario.rule.id for scenario in load()}
    table = compose.quirks(read(given("--provider", name)), name).table()
    assert [told.rule for told in table] == list(broken)
    assert {told.action for told in table} <= {"refused", "emulated", "repaired"}


def test_an_engine_of_its_own_is_there_where_something_says_so() -> None:
    assert read({}).has_engine
    assert not read(given("--provider", "lab=http://a:1")).has_engine
    assert read(given("--provider", "lab=http://a:1", "--engine", "scripted")).has_engine
    assert read(given("--provider", "lab=http://a:1", "--model", "m")).has_engine


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--provider", "lab"], "'lab' is neither NAME=URL nor one of openai, cerebras"),
        (["--provider", "lab=localhost:1"], "give one like http://127.0.0.1:8080/v1"),
        (["--provider", "v1=http://a:1"], "'v1' is reserved and cannot name a provider"),
        (["--provider", "My Lab=http://a:1"], "use lower-case letters"),
        (["--provider", "lab=http://a:1", "--quirks", "r.json"], "'r.json' is not NAME=FILE"),
        (
            ["--provider", "lab=http://a:1", "--quirks", "lob=r.json"],
            "no provider 'lob'; the providers are: lab",
        ),
        (["--quirks", "lab=r.json"], "no provider 'lab'; the providers are: none"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_setting(arguments: list[str], sentence: str) -> None:
    with pytest.raises(BadSettings, match=r"The setting '(providers|quirks)") as caught:
        read(given(*arguments))
    assert sentence in str(caught.value)


def test_a_mistake_in_a_file_says_that_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / "gonogo.toml"
    file.write_text('[providers.lab]\nurl = "http://a:1"\nconnect_timeout = 0\n')
    with pytest.raises(BadSettings, match=r"'providers.lab.connect_timeout' \(from the file\)"):
        read({"config": file})


def test_the_settings_are_shown_without_keys(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GONOGO_SERVER_API_KEY", "canary")
    assert serve.main(["--provider", "lab=http://a:1", "--print-config"]) == 0
    told = capsys.readouterr().out
    assert json.loads(told)["providers"]["lab"]["url"] == ["http://a:1/v1"]
    assert "canary" not in told + shown(read({}))


@pytest.mark.parametrize("text", ["one, two", '["one", "two"]', "one\ntwo\n"])
def test_keys_are_a_list_in_any_of_three_forms(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    assert read({"api_key_file": file}).keys == ("one", "two")
    monkeypatch.setenv("GONOGO_SERVER_API_KEY", text)
    assert read({}).keys == ("one", "two")


def test_a_file_without_keys_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("\n")
    with pytest.raises(BadSettings, match="There is no key"):
        _ = read({"api_key_file": file}).keys
    with pytest.raises(BadSettings, match="Cannot read the keys"):
        _ = read({"api_key_file": tmp_path / "none"}).keys


def test_other_machines_need_a_key_unless_the_settings_allow_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert serve.main(["--host", "0.0.0.0"]) == 2
    assert "set GONOGO_SERVER_API_KEY, or add --insecure" in capsys.readouterr().err
    monkeypatch.setattr(serve, "run", lambda settings: 0)
    assert serve.main(["--host", "0.0.0.0", "--insecure"]) == 0
    monkeypatch.setenv("GONOGO_SERVER_API_KEY", "k")
    assert serve.main(["--host", "0.0.0.0"]) == 0
