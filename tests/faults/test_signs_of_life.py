"""Whom a sign of life accuses if a target refused requests with 503 and no Retry-After."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults.fault import verdicts
from gonogo.exchange import FailureKind
from gonogo.faults.editing import both, changed, refused, silent
from gonogo.faults.picks import asked
from gonogo.reasons import Reason
from gonogo.stimuli.life import is_sign_of_life, suspects
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Edit
    from gonogo.rules import Catalogue

HOSTILE_KEY = "POST /chat/completions raw {not json"
HOSTILE = asked(HOSTILE_KEY)
AGAIN = asked('POST /chat/completions {"max_tokens":12,"seed":-9223372036854775808,"temperature":1} #2')


def _alive(exchange: Exchange) -> bool:
    return is_sign_of_life(exchange.stimulus)


@pytest.fixture
def others(clean: Record) -> list[str]:
    """The requests sent in parallel with the hostile one."""
    signs = [suspects(e.stimulus) for e in clean.exchanges if _alive(e)]
    batch = next(sent for sent in signs if HOSTILE_KEY in sent)
    return [key for key in batch if key != HOSTILE_KEY]


@pytest.mark.parametrize("dead", [refused(503), silent(FailureKind.CONNECT)], ids=["503", "nobody"])
def test_requests_rejected_with_503_are_not_blamed(
    clean: Record, catalogue: Catalogue, others: list[str], dead: Edit
) -> None:
    record = both(changed(HOSTILE, refused(503)), changed(_alive_after_hostile, dead))(clean)

    found = verdicts(record, catalogue)["http.survives"]
    assert found.verdict is Verdict.FAIL
    assert others
    assert found.actual is not None
    assert found.actual.endswith(f"after one of {' | '.join(others)}")


def test_no_request_is_blamed_if_valid_requests_were_rejected_before(
    clean: Record, catalogue: Catalogue
) -> None:
    found = verdicts(both(changed(AGAIN, refused(503)), changed(_alive, refused(503)))(clean), catalogue)

    survives = found["http.survives"]
    assert survives.verdict is Verdict.INCONCLUSIVE
    assert survives.because is not None
    assert (survives.because.reason, survives.because.values) == (Reason.ALIVE_SLOW, {"ending": "status 503"})
    assert found["http.retry_after"].verdict is Verdict.WARN


def test_valid_requests_rejected_on_another_path_change_no_blame(clean: Record, catalogue: Catalogue) -> None:
    elsewhere = asked("POST /completions {}")
    found = verdicts(both(changed(elsewhere, refused(503)), changed(_alive, refused(503)))(clean), catalogue)

    assert found["http.survives"].verdict is Verdict.FAIL


def _alive_after_hostile(exchange: Exchange) -> bool:
    return _alive(exchange) and HOSTILE_KEY in suspects(exchange.stimulus)
