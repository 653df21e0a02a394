"""Faults of whole answers, of a server's life, and of its list of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge.causes.diagnosis import Diagnosis, Sighting, broken

if TYPE_CHECKING:
    from gonogo.judge.causes.sight import Sight
    from gonogo.verdict import Judgement


def _died(sight: Sight) -> Sighting | None:
    """The target no longer answers after a request: what was under way then failed for that reason."""
    for judgement in sight.broken("http.survives"):
        if judgement.evidence:
            broken_off = [e.id for e in sight.exchanges.values() if e.failure is not None]
            first = [piece.exchange for piece in judgement.evidence]
            return Sighting(
                judgement.actual or "", tuple(dict.fromkeys([*first, *broken_off])), lead=judgement.rule.id
            )
    return None


def _key_missing(judgement: Judgement) -> bool:
    return (judgement.actual or "").endswith(('"refusal" is missing', '"logprobs" is missing'))


DIAGNOSES = (
    Diagnosis(
        "target-died",
        "A request ends the target, or keeps it from answering",
        "everyone else who uses the server",
        (
            "http.survives",
            "http.complete",
            "http.in_time",
            "http.client_leaves",
            "tools.request.survived",
            "http.no_server_error",
        ),
        _died,
    ),
    Diagnosis(
        "nulls-refused",
        "Nullable parameters are refused as null",
        "openai-python sends null for what is set to None",
        ("*.nulls", "*.stream_null", "*.request.neutral"),
        broken("chat.request.nulls", "chat.request.stream_null", "completions.request.nulls"),
    ),
    Diagnosis(
        "stop-string-refused",
        "stop is accepted as a list only",
        "every caller that sends one string, as the documentation does",
        ("*.stop_string", "stop.*"),
        broken("*.request.stop_string"),
    ),
    Diagnosis(
        "retrieve-missing",
        "A listed model cannot be retrieved",
        "clients that look up a model before they use it",
        ("models.retrieve.*",),
        broken("models.retrieve.found"),
    ),
    Diagnosis(
        "nulls-in-answers",
        "Optional fields are null where the schema has no null",
        "strictly typed clients fail to decode the answer",
        ("*.nulls",),
        broken("*.response.nulls", "*.stream.nulls"),
    ),
    Diagnosis(
        "required-keys-missing",
        "Nullable fields that the schema requires are left out",
        "strictly typed clients fail to decode the answer",
        ("chat.response.refusal", "*.response.logprobs", "*.stream.logprobs", "completions.*.logprobs"),
        broken(
            "chat.response.refusal",
            "*.response.logprobs",
            "*.stream.logprobs",
            found=_key_missing,
        ),
    ),
    Diagnosis(
        "control-tokens",
        "Control tokens of the chat template are in the text",
        "readers see the markers, and the next turn repeats them to the model",
        ("text.*", "stop.*", "clients.*"),
        broken("text.control_tokens"),
    ),
    Diagnosis(
        "characters-torn",
        "Characters of several tokens arrive torn in streams",
        "readers see replacement characters in every text that is not ASCII",
        ("text.characters", "text.same*", "stream.utf8", "logprobs.*.spell"),
        broken("text.characters"),
    ),
)
