"""Faults of the answers to a missing or wrong key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.faults.editing import answer, answered, body, changed, header, made, put, refused, silent, status
from gonogo.faults.fault import Fault, fault, under
from gonogo.faults.picks import either
from gonogo.faults.rule_picks import last
from gonogo.redaction import WRONG_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.faults.editing import Change

MISSING = last("keys.missing.status")
WRONG = last("keys.wrong.status")
_HTML = b"<!doctype html><title>401</title>Unauthorized"

FAULTS: tuple[Fault, ...] = (
    *(
        fault(
            f"{what} fails the server",
            "a look-up without a guard",
            f"keys.{group}.harmless",
            changed(pick, refused(500)),
        )
        for what, group, pick in (("no key", "missing", MISSING), ("a wrong key", "wrong", WRONG))
    ),
    *(
        fault(
            f"{what} drops the connection",
            "a proxy that ends it",
            f"keys.{group}.harmless",
            changed(pick, silent(FailureKind.RESET)),
        )
        for what, group, pick in (("no key", "missing", MISSING), ("a wrong key", "wrong", WRONG))
    ),
    *(
        fault(
            f"{what} is refused with {code}",
            "FastAPI's HTTPBearer (403); a route that hides (404); one status for everything (400)",
            f"keys.{group}.status",
            changed(pick, status(code)),
        )
        for what, group, pick in (("no key", "missing", MISSING), ("a wrong key", "wrong", WRONG))
        for code in (400, 403, 404)
    ),
    fault(
        "401 without a body",
        "BerriAI/litellm#1554",
        "keys.missing.envelope",
        changed(MISSING, body(b"")),
    ),
    fault(
        "401 as detail",
        "FastAPI's own form",
        "keys.missing.envelope",
        changed(MISSING, answer(lambda value: value.update(detail=value.pop("error")["message"]))),
    ),
    fault(
        "a wrong key gets a web page",
        "a proxy's own page",
        "keys.wrong.envelope",
        changed(WRONG, refused(401, _HTML, "text/html")),
    ),
    fault(
        "a wrong key gets a string as error",
        "microsoft/autogen#279",
        "keys.wrong.envelope",
        changed(WRONG, answer(made("error", lambda error: error["message"]))),
    ),
    fault(
        "401 without a challenge",
        "most servers",
        "keys.missing.challenge",
        changed(MISSING, header("www-authenticate", None)),
    ),
    fault(
        "any key does",
        "a look at whether there is a key",
        "keys.wrong.refused",
        changed(WRONG, answered({"choices": []})),
    ),
    fault(
        "another code for a wrong key",
        "a code of one's own",
        "keys.wrong.code",
        changed(WRONG, answer(put("error.code", "unauthorized"))),
    ),
    fault(
        "the refusal repeats the whole key",
        "a message that says what it got",
        under("keys.wrong", "secret"),
        changed(
            WRONG,
            answer(put("error.message", f"Incorrect API key: {WRONG_KEY.removeprefix('Bearer ')}.")),
        ),
    ),
)

HARMLESS: Mapping[str, Change] = {
    "no key is needed": changed(either(MISSING, WRONG), answered({"choices": []})),
    "no key is needed, and a wrong one is refused": changed(MISSING, answered({"choices": []})),
    "a rate limit for who brings no key": changed(either(MISSING, WRONG), refused(429)),
    "an overload where a key is wrong": changed(WRONG, refused(503)),
    "the ends of a wrong key in its refusal": changed(
        WRONG, answer(put("error.message", f"Incorrect API key: {WRONG_KEY[7:12]}****{WRONG_KEY[-4:]}."))
    ),
}
