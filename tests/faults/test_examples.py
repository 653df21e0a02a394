"""The examples that ship with the rules match the faults, and each shows its rule's deviation."""

from __future__ import annotations

import asyncio
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import gonogo.rules.examples as shipped
import pytest
from faults.examples import COMMAND, MOST, _excerpts, _Steady, examples, text_of
from faults.fault import BROKEN
from gonogo.faults.editing import changed, rechunked
from gonogo.faults.picks import asked
from gonogo.faults.sections import FAULTS
from gonogo.rules import Catalogue, load
from gonogo.rules.examples import Example
from ideal.running import record_run
from ideal.target import IdealTarget

if TYPE_CHECKING:
    from types import ModuleType

    from faults.fault import Fault, Rejudge
    from gonogo.evidence import Record
    from gonogo.exchange import Exchange, Request

ROOT = Path(__file__).resolve().parents[2]
FEW = Catalogue(
    # Without their needs, because those rules are not among the few.
    replace(scenario, rule=replace(scenario.rule, needs=()))
    for scenario in load().select(["chat.stream", "http.request_id"], ["chat.stream.logprobs"])
)


def few_to_show(*, fuzz: bool = False, node: bool = False, gateway: bool = False) -> Catalogue:
    """All rules for collecting, a few for examples."""
    return FEW if fuzz else load()


@pytest.fixture(scope="session")
def generated(clean: Record) -> dict[str, Example | str]:
    return examples(clean, load(fuzz=True, node=True, gateway=True), FAULTS)


@pytest.fixture
def chore() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_examples", ROOT / "tasks/generate_examples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_shipped_examples_are_the_ones_that_the_faults_give(generated: dict[str, Example | str]) -> None:
    text = (ROOT / "conformance/gonogo/rules" / shipped.FILE).read_text(encoding="utf-8")
    assert text == text_of(generated), f"write them anew: {COMMAND}"


def test_every_rule_has_an_example_or_says_why_not(generated: dict[str, Example | str]) -> None:
    without = [rule_id for rule_id, found in generated.items() if isinstance(found, str)]
    assert set(generated) == set(load(fuzz=True, node=True, gateway=True).ids)
    assert all(
        rule_id.startswith(
            (
                "gateway.",
                "robustness.",
                "fuzz.",
                "clients.openai_node.",
                "clients.ai_sdk.",
                "clients.anthropic_node.",
            )
        )
        for rule_id in without
    )


def test_an_example_is_short_and_shows_a_difference(generated: dict[str, Example | str]) -> None:
    found = {rule_id: entry for rule_id, entry in generated.items() if isinstance(entry, Example)}
    assert [rule_id for rule_id, entry in found.items() if entry.good == entry.bad] == []
    assert [rule_id for rule_id, entry in found.items() if not (entry.expected and entry.actual)] == []
    assert max(len(text) for entry in found.values() for text in (entry.good, entry.bad)) <= MOST


def test_the_loaded_examples_equal_the_generated_ones(
    generated: dict[str, Example | str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / shipped.FILE).write_text(text_of(generated), encoding="utf-8")
    monkeypatch.setattr(shipped.resources, "files", lambda _: tmp_path)
    assert shipped.examples.__wrapped__() == generated


def test_examples_stay_the_same_when_a_run_has_more_requests(clean: Record) -> None:
    class Later(IdealTarget):
        """A target that has answered some requests before, so that its ids are higher."""

        async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - its name
            next(self._numbers)
            return await super().record(request, id=f"{id}7", stimulus=stimulus)

    later = asyncio.run(record_run(load(), Later()))
    assert later.exchanges[5].body != clean.exchanges[5].body
    assert examples(later, FEW, FAULTS) == examples(clean, FEW, FAULTS)


def test_if_only_the_chunks_differ_they_are_shown_with_their_times(clean: Record) -> None:
    pick = asked("POST /chat/completions {}")
    before = next(exchange for exchange in clean.exchanges if pick(exchange))
    after = next(exchange for exchange in changed(pick, rechunked(64))(clean).exchanges if pick(exchange))
    good, bad = _excerpts(before, after, _Steady())
    assert good.startswith('0.001 s  \'{"id"')
    assert bad.count("0.001 s  ") > good.count("0.001 s  ") == 1


def test_the_chore_finds_a_change_by_hand_shows_it_and_undoes_it(
    chore: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / shipped.FILE
    monkeypatch.setattr(chore, "ROOT", tmp_path)
    monkeypatch.setattr(chore, "TARGET", file)
    monkeypatch.setattr(chore, "load", few_to_show)
    assert chore.main([]) == 0
    original = file.read_bytes()
    file.write_bytes(original.replace(b'"good"', b'"Good"', 1))
    capsys.readouterr()

    assert chore.main(["--check"]) == 1
    said = capsys.readouterr()
    assert '-  "Good": ' in said.out
    assert said.err.endswith(f"is out of date; run {COMMAND}\n")
    assert chore.main([]) == 0
    assert file.read_bytes() == original
    assert chore.main(["--check"]) == 0


def test_the_chore_names_a_rule_that_no_fault_shows(
    chore: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chore, "ROOT", tmp_path)
    monkeypatch.setattr(chore, "TARGET", tmp_path / shipped.FILE)
    monkeypatch.setattr(chore, "load", few_to_show)
    monkeypatch.setattr(chore, "FAULTS", [f for f in FAULTS if "chat.stream.done" not in f.turns])

    assert chore.main([]) == 1
    assert "shows chat.stream.done, so it has no example" in capsys.readouterr().err


def test_the_chore_refuses_an_option_that_it_does_not_know(
    chore: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert chore.main(["--chek"]) == 2
    assert capsys.readouterr().err == f"usage: {COMMAND} [--check]\n"


GOOD = [fault for fault in FAULTS if fault.good is not None]


@pytest.mark.parametrize("fault", GOOD, ids=lambda fault: fault.name)
def test_the_good_example_of_a_fault_breaks_no_rule(fault: Fault, rejudge: Rejudge) -> None:
    judgements = rejudge(fault.good(rejudge.clean))
    turned = {rule_id for rule_id, found in judgements.items() if found.verdict in BROKEN}
    assert turned == set()


def test_the_example_of_a_busy_target_says_for_how_long(generated: dict[str, Example | str]) -> None:
    example = generated["http.retry_after"]
    assert isinstance(example, Example)
    assert example.good.startswith("status 503\nretry-after: 1\n")
    assert "retry-after" not in example.bad
