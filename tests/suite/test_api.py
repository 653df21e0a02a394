"""gonogo from Python: the stable names, and what they do."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

import gonogo
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FEW = ("models", "chat.stream.done")


def test_a_check_returns_the_report(reference_url: str) -> None:
    report = gonogo.check(reference_url, only=FEW)

    assert report.gate is gonogo.Gate.GO
    assert report.verdict_on("chat.stream.done") is gonogo.Verdict.PASS
    assert report.totals[gonogo.Verdict.FAIL] == 0


def test_a_check_in_an_event_loop_returns_the_same(reference_url: str) -> None:
    report = asyncio.run(gonogo.acheck(reference_url, only=FEW))

    assert report.gate is gonogo.Gate.GO
    assert inspect.signature(gonogo.acheck) == inspect.signature(gonogo.check)


def test_a_cancelled_check_breaks_off_what_is_under_way(answering: Callable[[bytes], str]) -> None:
    async def leave() -> bool:
        run = asyncio.ensure_future(gonogo.acheck("http://127.0.0.1:9/v1", only=FEW))
        await asyncio.sleep(0)
        run.cancel()
        await asyncio.wait({run})
        return run.cancelled()

    assert asyncio.run(leave())


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"only": ["nonsense"]}, gonogo.UsageError, "nonsense"),
        ({"profiles": ["robot"]}, gonogo.UsageError, "the profiles are core, agent, completion, embedding"),
        ({"only": "chat"}, gonogo.UsageError, 'only takes several texts: write only=["chat"].'),
        ({"ca_file": "absent.pem"}, gonogo.UsageError, "absent.pem"),
        ({"only": FEW}, gonogo.TargetError, "Connection refused"),
    ],
)
def test_a_check_that_cannot_run_raises_one_sentence(
    options: dict[str, object], error: type[gonogo.GonogoError], text: str
) -> None:
    with pytest.raises(error, match=text.replace("[", r"\[")):
        gonogo.check("http://127.0.0.1:9/v1", **options)  # type: ignore[arg-type]


def test_evidence_is_kept_where_a_file_is_named(reference_url: str, tmp_path: Path) -> None:
    kept = tmp_path / "e.jsonl"
    gonogo.check(reference_url, only=["models"], evidence=str(kept))

    assert '"base_url":"http://127.0.0.1' in kept.read_text()


def test_every_public_name_is_there_and_no_other() -> None:
    assert all(getattr(gonogo, name) is not None for name in gonogo.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = gonogo.nothing  # type: ignore[attr-defined]
