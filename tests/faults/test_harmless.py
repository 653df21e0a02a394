"""No false alarms: what a server may do that keeps the contract turns no rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults.fault import turned, verdicts
from faults.sections import HARMLESS
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.evidence import Record
    from gonogo.rules import Catalogue


@pytest.mark.parametrize("change", [change for _, change in HARMLESS], ids=[name for name, _ in HARMLESS])
def test_what_keeps_the_contract_turns_no_rule(
    change: Callable[[Record], Record], clean: Record, catalogue: Catalogue
) -> None:
    found = verdicts(change(clean), catalogue)
    refused_plainly = {rule_id for rule_id, judgement in found.items() if not judgement.expected}
    assert {rule_id: found[rule_id].message for rule_id in turned(found) - refused_plainly} == {}
    assert [rule_id for rule_id, judgement in found.items() if judgement.verdict is Verdict.ERROR] == []
