"""Several models of one gateway in one run: which requests are shared, and which models are reported as broken."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from faults.serving import broken, served
from gonogo import evidence
from gonogo.cli import app
from gonogo.report.json import schema
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result
    from faults.serving import Application, Call

GOOD, BAD = "scripted", "org/scripted"
BOTH = ("--model", GOOD, "--model", BAD)
FEW = (
    *("--only", "chat.stream.done", "--only", "chat.response.object", "--only", "models"),
    *("--only", "keys", "--only", "http.survives", "--only", "errors.harmless"),
)
DONE = b"data: [DONE]\n\n"
KILLER = b'"temperature": "warm"'


@dataclass
class Gateway:
    """Two models behind one address: streams of the `broken` ones end without [DONE]; `asked` are the received bodies.

    After the request that kills the model `killed`, the server answers every request for it with 502.
    """

    url: str = ""
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    broken: set[str] = field(default_factory=lambda: {BAD})
    killed: str | None = None
    dead: set[str] = field(default_factory=set)

    async def answer(self, call: Call, application: Application) -> None:
        try:
            body = json.loads(call.body)
        except ValueError:
            body = {}
        model = body.get("model") if isinstance(body, dict) else None
        self.asked.append((call.path, body if isinstance(body, dict) else {}))
        if model == self.killed and KILLER in call.body:
            self.dead.add(model)
        if model in self.dead:
            await call.send({"type": "http.response.start", "status": 502, "headers": []})
            await call.send({"type": "http.response.body", "body": b"bad gateway"})
            return

        async def send(message: dict[str, Any]) -> None:
            if model in self.broken and "body" in message:
                message = {**message, "body": message["body"].replace(DONE, b"")}
            await call.send(message)

        await call.forward(application, send)

    def check(self, *options: object) -> Result:
        arguments = ("check", self.url, *options)
        return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="gonogo")


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    for variable in ("GONOGO_API_KEY", "OPENAI_API_KEY", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)
    known = Gateway()
    with served(broken(known.answer)) as (url, _):
        known.url = url
        yield known


def rules(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {rule["id"]: rule for rule in report["rules"]}


def test_a_run_says_which_model_breaks_what_and_the_worst_decides(gateway: Gateway, tmp_path: Path) -> None:
    files = {kind: tmp_path / kind for kind in ("json", "junit", "sarif", "markdown")}
    options = [part for kind, path in files.items() for part in (f"--{kind}", path)]
    done = gateway.check(*BOTH, *FEW, *options)
    report = json.loads(files["json"].read_bytes())
    stream = rules(report)["chat.stream.done"]
    sarif = json.loads(files["sarif"].read_bytes())["runs"][0]["results"]

    assert done.exit_code == 1
    Draft202012Validator(schema()).validate(report)
    assert [part["target"]["model"] for part in report["models"]] == [GOOD, BAD]
    assert [part["verdict"] for part in report["models"]] == ["go", "no-go"]
    assert (report["verdict"], report["target"]["model"]) == ("no-go", None)
    assert (stream["verdict"], stream["models"]) == ("fail", {GOOD: "pass", BAD: "fail"})
    assert [cause["models"] for cause in report["causes"]] == [[BAD]]
    assert f'model": "{BAD}' in stream["curl"].replace("\\", "")
    assert rules(report)["chat.response.object"]["models"] == {GOOD: "pass", BAD: "pass"}
    assert f"  models    {BAD} of 2 models" in done.stdout
    assert f"GO          {GOOD}: 0 failed" in done.stdout
    assert f"NO-GO       {BAD}: 1 failed" in done.stdout
    assert f'<failure message="{BAD}: ' in files["junit"].read_text()
    assert [(result["ruleId"], result["properties"]["models"]) for result in sarif] == [
        ("chat.stream.done", [BAD])
    ]
    assert f"- Models: `{BAD} of 2 models`" in files["markdown"].read_text()


def test_a_rule_that_all_models_break_is_one_finding(gateway: Gateway, tmp_path: Path) -> None:
    gateway.broken = {GOOD, BAD}
    done = gateway.check(*BOTH, "--only", "chat.stream.done", "--sarif", tmp_path / "sarif")
    results = json.loads((tmp_path / "sarif").read_bytes())["runs"][0]["results"]

    assert done.exit_code == 1
    assert done.stdout.count("FAIL  ") == 1
    assert "  models    all 2 models" in done.stdout
    assert [result["properties"]["models"] for result in results] == [[GOOD, BAD]]


def test_requests_about_the_endpoint_are_sent_once_and_others_for_each_model(gateway: Gateway) -> None:
    gateway.check(*BOTH, *FEW)
    lists = [path for path, _ in gateway.asked if path == "/v1/models"]
    plain = Counter(body.get("model") for path, body in gateway.asked if body.get("stream"))
    keys = [body for _, body in gateway.asked if body.get("max_tokens") == 1 and "stream" not in body]

    assert len(lists) == 3  # the greeting, and two for the rules
    assert plain[GOOD] == plain[BAD] > 0
    assert Counter(body["model"] for body in keys)[GOOD] > Counter(body["model"] for body in keys)[BAD]


def test_evidence_says_whose_an_exchange_is_and_is_judged_as_it_was(gateway: Gateway, tmp_path: Path) -> None:
    stored, first, again = tmp_path / "e.jsonl", tmp_path / "1.json", tmp_path / "2.json"
    gateway.check(*BOTH, *FEW, "--evidence", stored, "--json", first)
    done = CliRunner().invoke(app, ["judge", str(stored), *FEW, "--json", str(again)])
    header, *lines = [json.loads(line) for line in stored.read_text().splitlines()]
    before, after = (json.loads(path.read_bytes()) for path in (first, again))

    assert done.exit_code == 1
    assert (header["evidence_version"], header["models"]) == (2, [GOOD, BAD])
    assert all(
        line["request"]["path"].startswith("/models")
        for line in lines
        if "model" not in line and line["request"]["method"] == "GET"
    )
    assert {line.get("model") for line in lines} == {None, GOOD, BAD}
    assert before["rules"] == after["rules"]
    assert [part["rules"] for part in before["models"]] == [part["rules"] for part in after["models"]]
    ids = [line["id"] for line in lines if "id" in line]
    assert len(set(ids)) == len(ids)
    records = evidence.read_each(stored)
    assert [record.target.model for record in records] == [GOOD, BAD]
    with pytest.raises(evidence.EvidenceError, match="covers 2 models; expected one"):
        evidence.read(stored)


def test_a_model_that_a_request_stops_does_not_keep_the_next_from_its_turn_and_can_be_gone_on_with(
    gateway: Gateway, tmp_path: Path
) -> None:
    stored, report = tmp_path / "e.jsonl", tmp_path / "r.json"
    gateway.killed = GOOD
    options = (*BOTH, *FEW, "--concurrency", 1, "--evidence", stored, "--json", report)
    lost = gateway.check(*options)
    held = json.loads(report.read_bytes())
    gateway.dead.clear()
    gateway.killed = None
    gateway.asked.clear()
    resumed = gateway.check(*options, "--resume")
    whole = json.loads(report.read_bytes())

    assert (lost.exit_code, resumed.exit_code) == (1, 1)
    assert rules(held)["http.survives"]["models"] == {GOOD: "fail", BAD: "pass"}
    assert rules(held)["chat.stream.done"]["models"] == {GOOD: "pass", BAD: "fail"}
    assert any(rule["reason"] == "target-lost" for rule in held["models"][0]["rules"])
    assert not any(rule["reason"] == "target-lost" for rule in whole["models"][0]["rules"])
    own = [body for _, body in gateway.asked if body.get("model") == BAD]
    assert len(own) == 1  # its greeting: the rest is in the file
    other = gateway.check(*FEW, "--model", GOOD, "--evidence", stored, "--resume")
    assert other.exit_code == 2
    assert f"the models are {GOOD}, {BAD}, here {GOOD}." in other.stderr


def test_a_model_named_twice_is_a_mistake(gateway: Gateway) -> None:
    done = gateway.check("--model", BAD, "--model", BAD)
    assert (done.exit_code, gateway.asked) == (2, [])
    assert done.stderr == f'--model is given twice with "{BAD}"; remove one of them.\n'


def test_models_that_are_not_served_are_named_together_before_anything_is_judged(gateway: Gateway) -> None:
    done = gateway.check("--model", GOOD, "--model", "tiny", "--model", "huge")

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f'The target does not serve the models "tiny" and "huge"; it lists {GOOD}, {BAD}.\n'
    assert len(gateway.asked) == 4


def test_enough_is_broken_counts_a_rule_once_and_ends_the_turns_that_follow(gateway: Gateway) -> None:
    done = gateway.check("--model", BAD, "--model", GOOD, *FEW, "-x")

    assert done.exit_code == 1
    assert f"NO-GO       {BAD}: 1 failed" in done.stdout
    assert not [body for _, body in gateway.asked if body.get("stream") and body.get("model") == GOOD]


def test_a_baseline_waives_a_rule_for_all_models_and_is_stale_where_all_pass(
    gateway: Gateway, tmp_path: Path
) -> None:
    baseline = tmp_path / "b.toml"
    baseline.write_text('"chat.stream.done" = { reason = "ours" }\n')
    waived = gateway.check(*BOTH, *FEW, "--baseline", baseline)
    baseline.write_text(
        '"chat.stream.done" = { reason = "ours" }\n"chat.response.object" = { reason = "old" }\n'
    )
    stale = gateway.check(*BOTH, *FEW, "--baseline", baseline)

    assert waived.exit_code == 0, waived.stdout
    assert f"GO          {BAD}: 0 failed" in waived.stdout
    assert stale.exit_code == 1
    assert "line 2: chat.response.object passes now; delete the line" in stale.stdout


def test_reports_on_several_models_are_compared_model_by_model(gateway: Gateway, tmp_path: Path) -> None:
    old, new, one, third = (tmp_path / name for name in ("old", "new", "one", "third"))
    gateway.check(*BOTH, *FEW, "--json", old)
    gateway.check("--model", BAD, *FEW, "--json", one)
    gateway.broken = {GOOD}
    gateway.check(*BOTH, *FEW, "--json", new)
    diff = CliRunner().invoke(app, ["diff", str(old), str(new), "--markdown", str(tmp_path / "md")])
    to_one = CliRunner().invoke(app, ["diff", str(new), str(one)])
    other = json.loads(one.read_bytes())
    other["target"]["model"] = "third"
    third.write_text(json.dumps(other))
    to_other = CliRunner().invoke(app, ["diff", str(old), str(third)])

    assert diff.exit_code == to_one.exit_code == 1
    assert f"chat.stream.done  pass -> fail  A stream ends with exactly one [DONE]  ({GOOD})" in diff.stdout
    assert f"chat.stream.done  fail -> pass  A stream ends with exactly one [DONE]  ({BAD})" in diff.stdout
    assert f"| `{GOOD}` |" in (tmp_path / "md").read_text()
    assert f"differ in model: {GOOD}, {BAD} before, {BAD} now." in to_one.stdout
    assert f"({BAD})" in to_one.stdout
    assert to_other.exit_code == 2
    assert to_other.stderr == f"The reports have no model in common: {GOOD}, {BAD} before, third now.\n"


def test_the_plan_tells_what_is_sent_once_and_what_with_each_model(gateway: Gateway) -> None:
    done = gateway.check(*BOTH, "--only", "models", "--plan")

    assert done.exit_code == 0
    assert gateway.asked == []
    assert "requests once, and " in done.stdout
    assert " with each of 2 models: " in done.stdout
