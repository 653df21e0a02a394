"""Defects of complete answers and model lists, and server crashes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.causes.diagnosis import Diagnosis, Sighting, among, broken, ignoring, of_judgements
from gonogo.judge.causes.observations import body
from gonogo.stimuli.life import suspects

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.causes.observations import Observations
    from gonogo.verdict import Judgement


def _died(observed: Observations) -> Sighting | None:
    """The target no longer answers after a request; failures of requests in flight follow from this."""
    for judgement in observed.broken("http.survives"):
        if judgement.evidence:
            first = [piece.exchange for piece in judgement.evidence]
            broken_off = _broken_off(observed, observed.exchanges[first[0]])
            return Sighting(
                judgement.actual or "", tuple(dict.fromkeys([*first, *broken_off])), lead=judgement.rule.id
            )
    return None


def _broken_off(observed: Observations, sign: Exchange) -> list[str]:
    """The failures of the requests before the sign of life: any of them may have stopped the target."""
    blamed = {e.id for e in observed.exchanges.values() if e.stimulus in suspects(sign.stimulus)}
    known = list(observed.exchanges.values())
    begun = next((number for number, exchange in enumerate(known) if exchange.id in blamed), 0)
    return [*blamed, *(exchange.id for exchange in known[begun:] if exchange.failure is not None)]


def _torn(observed: Observations) -> Sighting | None:
    """Replacement characters in streams, if the rule about them is broken."""
    found = observed.broken("text.characters")
    if not found:
        return None
    mark = "\ufffd".encode()
    more = [
        stream.id for stream in observed.streams if mark in stream.body or b"\\ufffd" in stream.body.lower()
    ]
    seen = of_judgements(found)
    return replace(seen, exchanges=tuple(dict.fromkeys([*seen.exchanges, *more])))


def _list_for_model(observed: Observations) -> Sighting | None:
    """The answer for any single model is the model list, because the path is routed to it."""

    def is_list(exchange: Exchange) -> str | None:
        model = exchange.request.path.removeprefix("/models/")
        if model in ("", exchange.request.path) or not isinstance(body(exchange).get("data"), list):
            return None
        return f"GET /models/{model} returns a list"

    return among(observed.accepted, is_list)


def _alike(observed: Observations, judgement: Judgement) -> bool:
    """All texts of a list have the same vector."""
    answers = [body(observed.exchanges[piece.exchange]) for piece in judgement.evidence]
    found = [[entry.get("embedding") for entry in reading.objects(one.get("data"))] for one in answers]
    return any(len(vectors) > 1 and all(v == vectors[0] for v in vectors) for vectors in found)


def _key_missing(observed: Observations, judgement: Judgement) -> bool:
    """A choice, its message or its log probabilities lack a key that the schema requires and that can be null."""
    exchange, key = observed.shown(judgement), judgement.rule.id.rpartition(".")[2]
    if exchange.is_stream:
        choices = [choice for chunk in reading.chunks(exchange) for choice in chunk.choices]
    else:
        choices = reading.objects(body(exchange).get("choices"))
    holders = [choice.get("message") if key == "refusal" else choice for choice in choices]
    inner = [choice.get("logprobs") for choice in choices if key == "logprobs"]
    lacking = [one for one in inner if isinstance(one, dict) and "content" in one and "refusal" not in one]
    return bool(lacking) or any(isinstance(holder, dict) and key not in holder for holder in holders)


DIED = (
    Diagnosis(
        "target-died",
        "A request stops the target or keeps it from answering",
        "all users of the server",
        ("*",),
        _died,
    ),
)

ACCEPTANCE = (
    Diagnosis(
        "nulls-refused",
        "Nullable parameters are refused when null",
        "openai-python sends null for parameters set to None",
        ("*.request.nulls", "*.stream_null", "*.request.neutral"),
        broken("chat.request.nulls", "chat.request.stream_null", "completions.request.nulls"),
    ),
    Diagnosis(
        "stop-string-refused",
        "stop is accepted only as a list",
        "every caller that sends a string, as in the documentation",
        ("*.stop_string", "stop.*"),
        broken("*.request.stop_string"),
    ),
    Diagnosis(
        "retrieve-lists",
        "GET /models/{model} returns a list, whatever the model",
        (
            "clients that look up a model before they use it find no id and cannot tell that a model is "
            "missing"
        ),
        ("models.retrieve.*", "clients.openai_python.models"),
        _list_for_model,
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
        "Optional fields are null although they are not nullable",
        "strictly typed clients fail to decode the answer",
        ("*.nulls",),
        broken("*.response.nulls", "*.stream.nulls"),
    ),
    Diagnosis(
        "required-keys-missing",
        "Required nullable fields are missing",
        "strictly typed clients fail to decode the answer",
        ("chat.response.refusal", "*.response.logprobs", "*.stream.logprobs", "completions.*.logprobs"),
        broken(
            "chat.response.refusal",
            "*.response.logprobs",
            "*.stream.logprobs",
            found=_key_missing,
        ),
    ),
)

VECTORS = (
    Diagnosis(
        "one-vector",
        "Different texts have the same vector",
        "a search returns the first document for every query",
        ("embeddings.input.*",),
        ignoring(broken("embeddings.input.order", found=_alike), "input"),
    ),
)

TEXTS = (
    Diagnosis(
        "control-tokens",
        "The text contains control tokens of the chat template",
        "users see the tokens, and the next turn sends them back to the model",
        ("text.*", "stop.*", "structured.*", "logprobs.*", "sampling.effect.*", "clients.*"),
        broken("text.control_tokens"),
    ),
    Diagnosis(
        "characters-torn",
        "Streams split characters of several tokens",
        "users see replacement characters in every non-ASCII text",
        ("text.*", "stream.utf8", "stop.*", "logprobs.*", "sampling.effect.*", "structured.*"),
        _torn,
    ),
)
