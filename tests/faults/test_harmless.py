"""No false alarms: no rule has a finding for conforming behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults.fault import turned
from faults.harmless.every import HARMLESS
from gonogo.report.wording import message
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.fault import Rejudge
    from gonogo.evidence import Record


@pytest.mark.parametrize("change", [change for _, change in HARMLESS], ids=[name for name, _ in HARMLESS])
def test_answers_that_keep_the_contract_break_no_rule(
    change: Callable[[Record], Record], rejudge: Rejudge
) -> None:
    found = rejudge(change(rejudge.clean))
    refused_plainly = {rule_id for rule_id, judgement in found.items() if not judgement.expected}
    assert {rule_id: message(found[rule_id]) for rule_id in turned(found) - refused_plainly} == {}
    assert [rule_id for rule_id, judgement in found.items() if judgement.verdict is Verdict.ERROR] == []
