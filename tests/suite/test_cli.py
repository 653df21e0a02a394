"""The commands that need no target, and how every command ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from gonogo import __version__
from gonogo.cli import main
from gonogo.cli.commands import COMMANDS, Deferred
from gonogo.judge.steps import then as checks
from gonogo.rules import load
from gonogo.stimuli.phrases import when

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]

PATIENCE = 60.0  # seconds after which a hanging process is killed


def test_the_version_is_printed(gonogo: Run) -> None:
    assert gonogo("--version").stdout == f"gonogo {__version__}\n"


def test_rules_lists_every_rule_with_its_level_and_title_and_counts_them(gonogo: Run) -> None:
    result = gonogo("rules")
    rows = [line.split(maxsplit=2) for line in result.stdout.splitlines() if line.startswith("  ")]
    expected = [
        [s.rule.id, s.rule.level.value, s.rule.title] for s in load(fuzz=True, node=True, gateway=True)
    ]

    assert result.exit_code == 0
    assert sorted(rows) == sorted(expected)
    assert result.stdout.splitlines()[-1].startswith(
        f"{len(load(fuzz=True, node=True, gateway=True))} rules: "
    )


def test_rules_lists_the_rules_under_an_id(gonogo: Run) -> None:
    lines = gonogo("rules", "models").stdout.splitlines()

    assert all(line.strip().startswith("models.") for line in lines[:-1])
    assert lines[-1].startswith(f"{len(load().select(['models']))} rules: ")


def test_rules_lists_the_phrases_that_a_rule_is_made_of(gonogo: Run) -> None:
    lines = gonogo("rules", "--phrases").stdout.splitlines()
    heads = {number: line for number, line in enumerate(lines) if not line.startswith("  ")}
    then = next(number for number, line in heads.items() if line.startswith("Then ("))
    listed = {line.strip() for line in lines}
    used = {pattern for vocabulary in (when, checks) for pattern in vocabulary.patterns}

    assert list(heads.values())[:-1] == [f"When ({then - 1})", f"Then ({len(lines) - then - 2})"]
    assert "  the models are listed" in lines[:then]
    assert '  the stream contains exactly one "[DONE]"' in lines[then:]
    assert used <= listed


def test_phrases_of_one_rule_are_not_what_they_list(gonogo: Run) -> None:
    result = gonogo("rules", "--phrases", "chat")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "--phrases takes no ids or profiles; remove them.\n"


def test_explain_says_title_source_reason_steps_and_a_command(gonogo: Run) -> None:
    rule = load().select(["chat.stream.done"])[0].rule
    text = gonogo("explain", "chat.stream.done").stdout

    assert text.startswith(f"chat.stream.done (must)\n  {rule.title}\n  source: {rule.source}\n  why:")
    assert all(f"    {step}\n" in text for step in rule.steps)
    assert "  try it: curl -sS -i -N http://127.0.0.1:8000/v1/chat/completions" in text


def test_explain_shows_of_a_comparison_the_request_that_differs(gonogo: Run) -> None:
    text = gonogo("explain", "completions.suffix.named").stdout
    command = text[text.index("  try it: ") :]

    assert command.count("curl") == 1
    assert '"suffix": " Done."' in command


def test_explain_shows_the_plain_request_where_the_other_is_made_from_its_answer(gonogo: Run) -> None:
    text = gonogo("explain", "stop.chat.honoured").stdout

    assert "  try it: curl" in text
    assert '"stop"' not in text[text.index("  try it: ") :]


def test_explain_shows_an_answer_that_keeps_the_rule_and_one_that_breaks_it(gonogo: Run) -> None:
    text = gonogo("explain", "chat.stream.done").stdout
    _, good, bad = re.split("  good answer to |  bad answer: ", text)

    assert '"stream":true' in good.partition("\n")[0]
    assert good.endswith("    | data: [DONE]\n")
    assert bad.startswith("chat streams without [DONE] (huggingface/text-generation-inference#1896)\n    | ")
    assert "[DONE]" not in "".join(line for line in bad.splitlines() if line.startswith("    | "))
    assert '    expected: "data: [DONE]" as the last event\n    actual:   the stream ended' in bad


def test_explain_says_why_a_rule_about_generated_requests_has_no_example(gonogo: Run) -> None:
    assert (
        "  no example: its requests are generated; a run with --fuzz"
        in gonogo("explain", "robustness").stdout
    )


def test_a_rule_that_is_newer_than_the_examples_is_explained_without(
    gonogo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gonogo.cli.rules.examples", dict)
    text = gonogo("explain", "chat.stream.done").stdout

    assert "  try it: curl" in text
    assert "example" not in text
    assert "bad:" not in text


def test_explain_explains_every_rule_of_a_group(gonogo: Run) -> None:
    group = load().select(["models"])
    result = gonogo("explain", "models")

    assert result.exit_code == 0
    assert all(f"{s.rule.id} ({s.rule.level})\n" in result.stdout for s in group)


@pytest.mark.parametrize("command", ["rules", "explain"])
def test_an_unknown_id_is_answered_with_the_ids_near_it(gonogo: Run, command: str) -> None:
    result = gonogo(command, "chat.strem.done")

    assert result.exit_code == 2
    assert 'There is no rule or group "chat.strem.done"; did you mean chat.stream.done' in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_word_that_is_near_nothing_is_answered_with_where_to_look(gonogo: Run) -> None:
    assert (
        gonogo("rules", "zzz").stderr == 'There is no rule or group "zzz"; "gonogo rules" lists all rules.\n'
    )


def test_missing_evidence_is_one_sentence(gonogo: Run, tmp_path: Path) -> None:
    result = gonogo("judge", tmp_path / "none.jsonl")

    assert result.exit_code == 2
    assert result.stderr.endswith("none.jsonl: No such file or directory.\n")
    assert result.stderr.count("\n") == 1


def test_serve_hands_its_arguments_to_the_server(capfd: pytest.CaptureFixture[str], gonogo: Run) -> None:
    result = gonogo("serve", "--engine", "scripted", "--host", "192.0.2.1", "--insecure", "--port", "0")

    assert result.exit_code == 2
    assert "Cannot listen on 192.0.2.1 port 0" in result.stderr


def test_a_reader_that_left_early_gets_no_traceback_and_changes_no_status() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "gonogo", "rules"],
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )
    os.close(writer)

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_mistake_of_ours_leaves_with_2_because_1_would_mean_no_go(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gonogo", "rules"])
    monkeypatch.setattr("gonogo.cli.rules.load", lambda: 1 // 0)

    with pytest.raises(SystemExit) as left:
        main()

    assert left.value.code == 2
    assert "Internal error in gonogo" in capsys.readouterr().err


def test_every_command_explains_itself(gonogo: Run) -> None:
    names = set(COMMANDS)

    assert names == {
        "check",
        "judge",
        "diff",
        "rules",
        "explain",
        "faults",
        "init",
        "matrix",
        "badge",
        "serve",
    }
    assert all(gonogo(name, "--help").exit_code == 0 for name in names - {"serve"})


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_lists_each_command_with_the_first_sentence_of_its_own_help(gonogo: Run, name: str) -> None:
    entry = COMMANDS[name]
    own = " ".join((Deferred(name, entry).loaded().help or "").split())
    listed = " ".join(gonogo("--help").stdout.split())

    assert own.startswith(entry.summary)
    assert f"{name} {entry.summary}" in listed


def test_a_misspelt_command_is_reported_with_a_similar_one(gonogo: Run) -> None:
    result = gonogo("chek")

    assert result.exit_code == 2
    assert "Did you mean 'check'?" in result.stderr


# Modules that take long to import, and who may import them.
OF_GHERKIN = {"gherkin"}
OF_THE_CLIENTS = {"openai", "httpx", "httpx_sse", "pydantic"}
OF_COLLECTING = {"httpx2", "asyncio", "gonogo.collect"}
OF_JUDGING = {"jsonschema_rs", "yaml", "gonogo.judge"}
OF_COLOURS = {"rich"}


@pytest.mark.parametrize(
    ("arguments", "spared"),
    [
        (
            ["--help"],
            {*OF_COLLECTING, *OF_JUDGING, *OF_COLOURS, "gonogo.rules"},
        ),
        (["--version"], {*OF_COLLECTING, *OF_JUDGING, *OF_COLOURS, "gonogo.rules"}),
        (["rules", "chat"], {*OF_COLLECTING, *OF_JUDGING, *OF_COLOURS}),
        (["explain", "chat"], {*OF_COLLECTING, *OF_JUDGING, *OF_COLOURS}),
        (["check", "--help"], OF_THE_CLIENTS),
    ],
)
def test_a_command_loads_only_what_it_needs(arguments: list[str], spared: set[str]) -> None:
    code = f"import sys; sys.argv[1:] = {arguments}\nimport atexit; atexit.register(lambda: print(*sys.modules))\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}from gonogo.cli import main; main()"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    loaded = set(done.stdout.splitlines()[-1].split())

    assert "gonogo.cli" in loaded
    assert loaded.isdisjoint(spared | OF_GHERKIN | OF_THE_CLIENTS | {"pytest", "schemathesis"})
