"""The reference server raises no alarm: it passes a rule, or refuses what the rule is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.fault import verdicts
from gonogo.reasons import Reason
from gonogo.report.wording import message
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.rules import Catalogue
    from gonogo.verdict import Judgement

# What the server refuses today; everything else is supported, so that "unsupported" cannot hide an error.
NOT_YET = (
    "embeddings",
    "chat.request.picture_seen",
)
# What its engine without a model cannot show: the models have no creation date, so the list says 0; and the text is the
# same at every temperature, with certain log probabilities.
NOT_SEEN = {
    "models.entry.seconds": Reason.NOTHING_SEEN,
    "sampling.effect.temperature": Reason.TOO_SURE,
    # It does not reason either.
    "responses.reasoning.summary": Reason.NO_REASONING,
    "responses.stream.reasoning_added": Reason.NOTHING_SEEN,
}


def test_the_reference_server_passes_every_rule_or_refuses_plainly(
    referred: Record, catalogue: Catalogue
) -> None:
    found = verdicts(referred, catalogue)
    others = {
        rule_id: (judgement.verdict, message(judgement))
        for rule_id, judgement in found.items()
        if judgement.verdict is not Verdict.PASS
        and not (judgement.verdict is Verdict.UNSUPPORTED and rule_id.startswith(NOT_YET))
    }
    assert others.keys() == NOT_SEEN.keys(), others
    assert {rule_id: reason_of(found[rule_id]) for rule_id in NOT_SEEN} == NOT_SEEN


def reason_of(judgement: Judgement) -> Reason | None:
    return None if judgement.because is None else judgement.because.reason


def test_the_reference_server_was_asked_everything(referred: Record, clean: Record) -> None:
    assert {because.reason for because in referred.unsent.values()} == {
        Reason.FEWER_MODELS,
        Reason.NOT_REFUSED,
    }
    assert {e.stimulus for e in referred.exchanges} >= {
        e.stimulus for e in clean.exchanges if not e.stimulus.startswith("alive after")
    }
