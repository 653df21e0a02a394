"""The generator in its own process, and its options."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import schemathesis
from gonogo.collect.collector import Collector
from gonogo.errors import GonogoError, UsageError
from gonogo.fuzz import Budget, Fuzzing, generate, source
from gonogo.fuzz.budget import Purse
from gonogo.fuzz.campaign import fuzz
from gonogo.fuzz.source import Told, generated
from gonogo.reasons import Reason
from hypothesis import HealthCheck, given, settings, strategies
from ideal.target import IdealTarget
from schemathesis.core.errors import InvalidSchema
from schemathesis.schemas import BaseSchema
from suite.fuzz.passes import SUBJECT, Memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]


def test_the_same_seed_gives_the_same_cases_and_another_seed_others(told: list[Told]) -> None:
    async def both() -> list[list[Told]]:
        return list(await asyncio.gather(generated(0, len(told)), generated(1, 60)))

    same, other = asyncio.run(both())

    assert same == told
    assert len(other) == 60
    assert other != told[:60]


def test_every_operation_and_both_modes_are_among_the_first_cases(told: list[Told]) -> None:
    kinds = {(case["operation"], case["positive"]) for case in told}

    assert len({operation for operation, _ in kinds}) == 9
    assert ("GET /models/{model}", True) in kinds  # generating it fails a health check of Hypothesis
    assert {positive for _, positive in kinds} == {True, False}


def test_coverage_cases_have_few_fields_and_random_ones_are_added(told: list[Told]) -> None:
    chats = [case for case in told if case["operation"] == "POST /chat/completions" and case["positive"]]
    covered = [set(case["body"]["json"]) for case in chats if case["scenario"] == "valid_object"]

    assert covered
    assert max(len(names - {"model", "messages"}) for names in covered) <= 2
    assert any(case["scenario"] is None for case in chats)


def test_a_draw_at_which_schemathesis_raises_is_repeated() -> None:
    @strategies.composite
    def case(draw: strategies.DrawFn) -> int:
        drawn = draw(strategies.integers(0, 9))
        if drawn % 2:
            raise InvalidSchema("Cannot generate an array with 1 demanded elements")
        return drawn

    found: list[int] = []

    @settings(database=None, max_examples=20, suppress_health_check=list(HealthCheck))
    @given(generate.drawable(case()))
    def draw(value: int) -> None:
        found.append(value)

    draw()
    assert found
    assert not any(value % 2 for value in found)


def test_schemathesis_still_takes_what_it_is_given() -> None:
    covers = inspect.signature(BaseSchema.iter_coverage_cases).parameters
    draws = inspect.signature(schemathesis.APIOperation.as_strategy).parameters

    assert {"operation", "generation_modes", "generation_config"} <= set(covers)
    assert {"generation_mode", "feedback"} <= set(draws)
    assert [mode.value for mode in schemathesis.GenerationMode] == ["positive", "negative"]
    assert [operation.label for operation in generate.operations()] == [
        "GET /models",
        "GET /models/{model}",
        "POST /chat/completions",
        "POST /completions",
        "POST /embeddings",
        "POST /responses",
        "POST /responses/input_tokens",
        "POST /messages",
        "POST /messages/count_tokens",
    ]


def test_no_key_reaches_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-secret")
    monkeypatch.setattr(source, "_COMMAND", [sys.executable, "-c", PRINT_ENVIRONMENT])
    names = asyncio.run(generated(0, 1))[0]

    assert "OPENAI_API_KEY" not in names
    assert "PYTHONHASHSEED" in names


PRINT_ENVIRONMENT = "import json, os; print(json.dumps(dict.fromkeys(os.environ)))"


def test_a_generator_that_breaks_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        source, "_COMMAND", [sys.executable, "-c", "raise SystemExit('first\\nno such schema')"]
    )

    with pytest.raises(GonogoError, match=r"^Schemathesis could not generate cases: no such schema\.$"):
        asyncio.run(generated(0, 1))


def test_a_time_out_while_generating_cases_is_reported_and_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forever = "import threading; threading.Event().wait()"
    monkeypatch.setattr(source, "_COMMAND", [sys.executable, "-c", forever])
    memory = Memory()
    asyncio.run(fuzz(Collector(IdealTarget(), SUBJECT, memory), Fuzzing(), longest=0.5))

    assert memory.exchanges == []
    assert list(memory.reasons) == ["fuzz 0/1 odd GET /models"]


def test_the_seconds_of_the_budget_run_from_the_first_case_that_is_sent(told: list[Told]) -> None:
    """Generating the cases is not limited: here it takes twice the budget, on a clock that jumps."""
    memory = Memory()

    async def run() -> None:
        loop, late = asyncio.get_running_loop(), 0.0
        time = loop.time
        loop.time = lambda: time() + late

        async def slow(_seed: int, most: int) -> list[Told]:
            nonlocal late
            late = 2.0 * Budget().seconds
            return told[:most]

        collector = Collector(IdealTarget(), SUBJECT, memory)
        await fuzz(collector, Fuzzing(0, Budget(cases=20)), slow, longest=1000.0)

    asyncio.run(run())
    assert memory.exchanges
    assert Reason.BUDGET_USED_UP not in {because.reason for because in memory.reasons.values()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Budget(120, 1000, 4000)),
        ("cases=7", Budget(120, 7, 4000)),
        ("seconds=5, tokens=9,cases=7", Budget(5, 7, 9)),
    ],
)
def test_a_budget_is_read(text: str, expected: Budget) -> None:
    assert Budget.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["5", "cases=", "cases=0", "cases=-1", "cases=x", "euro=5", "cases=1,cases=2"]
)
def test_an_invalid_budget_is_refused_with_one_sentence(text: str) -> None:
    with pytest.raises(
        UsageError, match="is not a --fuzz-budget; give one like seconds=120,cases=1000,tokens=4000"
    ):
        Budget.parse(text)


def test_a_share_of_a_budget_has_a_case_at_least() -> None:
    assert Purse.of(Budget(cases=1), 0.2) == Purse(1, 800)


def test_schemathesis_that_is_missing_is_one_sentence_that_says_what_to_install(
    gonogo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "find_spec", lambda _: None)
    result = gonogo("check", "http://127.0.0.1:1/v1", "--fuzz")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == '--fuzz needs Schemathesis: pip install "gonogo[fuzz]".\n'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fuzz-seed", "3"], "--fuzz-budget and --fuzz-seed need --fuzz."),
        (["--fuzz-budget", "cases=3"], "--fuzz-budget and --fuzz-seed need --fuzz."),
        (["--fuzz", "--fuzz-budget", "3"], '"3" is not a --fuzz-budget'),
        (["--fuzz", "--only", "chat"], "--only and --skip leave none of their rules."),
        (["--only", "robustness"], "need generated requests: add --fuzz to gonogo check."),
        (["--require", "robustness"], "need generated requests: add --fuzz to gonogo check."),
    ],
)
def test_an_option_that_cannot_be_obeyed_is_one_sentence(
    gonogo: Run, arguments: list[str], said: str
) -> None:
    result = gonogo("check", "http://127.0.0.1:1/v1", *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_plan_says_what_the_pass_may_cost(gonogo: Run) -> None:
    result = gonogo("check", "http://127.0.0.1:1/v1", "--plan", "--fuzz", "--fuzz-budget", "cases=9")

    assert result.stdout.splitlines()[-1] == "Then --fuzz: at most 9 cases, 4000 generated tokens, 120 s."


def test_the_rules_of_a_pass_are_listed_and_explained_with_their_command(gonogo: Run) -> None:
    listed = gonogo("rules", "robustness").stdout
    explained = gonogo("explain", "robustness.envelope").stdout

    assert listed.splitlines()[-1] == "8 rules: 5 must, 3 should, 0 may"
    assert "try it: gonogo check http://127.0.0.1:8000/v1 --fuzz --only robustness.envelope" in explained


@pytest.mark.usefixtures("measured_processes")
def test_the_reference_server_passes_and_its_evidence_is_judged_the_same_offline(
    gonogo: Run, reference_url: str, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    command = [sys.executable, "-m", "gonogo", "check", reference_url, "--fuzz", "--fuzz-budget", "cases=250"]
    options = ["--only", "robustness", "--evidence", "../e.jsonl", "--json", "../checked.json"]
    done = subprocess.run(
        [*command, *options], cwd=here, capture_output=True, text=True, timeout=120, check=False
    )
    judged = gonogo("judge", tmp_path / "e.jsonl", "--only", "robustness", "--json", tmp_path / "judged.json")
    once, again = (json.loads((tmp_path / name).read_bytes()) for name in ("checked.json", "judged.json"))
    seconds = once.pop("seconds"), again.pop("seconds")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "GO  0 failed, 8 passed" in done.stdout
    assert list(here.iterdir()) == []
    assert judged.exit_code == 0
    assert seconds[1] is None
    assert once == again


def test_evidence_without_a_pass_is_judged_without_its_rules(gonogo: Run, plain: Path) -> None:
    result = gonogo("judge", plain)

    assert "robustness" not in result.stdout
    assert "add --fuzz" in gonogo("judge", plain, "--only", "robustness").stderr


@pytest.fixture
def plain(gonogo: Run, reference_url: str, tmp_path: Path) -> Path:
    """The evidence of a run without a fuzz pass."""
    gonogo("check", reference_url, "--only", "models", "--evidence", tmp_path / "plain.jsonl")
    return tmp_path / "plain.jsonl"
