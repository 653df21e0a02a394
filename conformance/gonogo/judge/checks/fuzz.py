"""Findings of Schemathesis's own checks on generated requests; `gonogo.fuzz.consulting` runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import header
from gonogo.judge import fuzz_defects
from gonogo.judge.checks.robustness import attributable, judged
from gonogo.judge.fuzz_causes import Defect, cause
from gonogo.judge.opinions import remembered
from gonogo.judge.outcome import Deviation, refused, saw, undecided
from gonogo.judge.steps import Of, compare
from gonogo.reasons import Reason
from gonogo.stimuli.fuzzed import Meant

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

MISSING = 'Schemathesis is not there to be asked: pip install "gonogo[fuzz]"'

EXPECTED = {
    "status_code_conformance": "a status that the operation describes",
    "content_type_conformance": "a media type that the operation describes for the status",
    "response_headers_conformance": "headers as the operation describes them",
    "response_schema_conformance": "a body that fits the schema of its status",
    "unsupported_method": "status 405 with Allow",
}


@compare('"{name}" of Schemathesis finds nothing', Of.ANY)
def finds_nothing(*exchanges: Exchange, name: str) -> Outcome:
    """The findings of a check in all cases to which it applies, one defect per cause; see `gonogo.fuzz.checking`."""
    cases = attributable(exchanges)
    known = {exchange: said for exchange in cases if (said := remembered(exchange)) is not None}
    if cases and not known:
        raise undecided(Reason.NOT_INSTALLED, told=MISSING)
    looked = {exchange: said[name] for exchange, said in known.items() if name in said}
    defects = [
        Defect(exchange, Deviation(EXPECTED[name], complaint), cause(_place(exchange, name), complaint))
        for exchange, complaint in looked.items()
        if complaint is not None
    ]
    kept = saw(f"answer in which {name} finds nothing", *(e for e, said in looked.items() if said is None))
    return judged(exchanges, defects, kept)


@compare("no operation accepts a case without the key that another requires", Of.ANY)
def key_is_asked_for(*exchanges: Exchange) -> Outcome:
    """Accepted cases sent again without a key, and with a wrong one; each operation is one cause."""
    sent = [exchange for exchange in attributable(exchanges) if fuzz_defects.meant(exchange) is Meant.KEYLESS]
    if not sent:
        raise undecided(Reason.NO_KEY_GIVEN)
    turned_away = [exchange for exchange in sent if exchange.status in (401, 403)]
    taken = [exchange for exchange in sent if fuzz_defects.answered_well(exchange)]
    if taken and not turned_away:
        raise refused(Reason.NO_KEY_NEEDED, taken[0], status=taken[0].status)
    asking = (
        f"status 401, as {fuzz_defects.operation(turned_away[0])} has it" if turned_away else "status 401"
    )
    defects = [_without_key(exchange, asking) for exchange in taken]
    return judged(exchanges, defects, saw("refusal of a case without its key", *turned_away))


def _without_key(exchange: Exchange, asking: str) -> Defect:
    how = "with a wrong key" if header(exchange.request.headers, "authorization") else "without a key"
    found = Deviation(asking, f"status {exchange.status} {how}")
    return Defect(exchange, found, cause(fuzz_defects.operation(exchange)))


def _place(exchange: Exchange, name: str) -> str:
    """The scope of one cause: an operation, or for methods all paths, because one router handles them."""
    return name if name == "unsupported_method" else fuzz_defects.operation(exchange)
