"""Parameters that are accepted and ignored."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.causes.diagnosis import Diagnosis, Sighting, among, broken, of_judgements
from gonogo.judge.causes.sight import body, pieces, quoted, whole_text
from gonogo.judge.checks.stops import Ending, stopped_text
from gonogo.judge.outcome import Stop

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.causes.diagnosis import Look
    from gonogo.judge.causes.sight import Sight
    from gonogo.verdict import Judgement


def _canned(sight: Sight) -> Sighting | None:
    """Different prompts and limits, whole and streamed, and always the same text."""
    answers = [(e, whole_text(e) or "".join(pieces(e))) for e in (*sight.wholes, *sight.streams)]
    texts = {text for _, text in answers if text}
    prompts = {
        str(e.request.fields.get("messages", e.request.fields.get("prompt"))) for e, text in answers if text
    }
    if len(answers) < 10 or len(texts) != 1 or len(prompts) < 5:
        return None
    seen = f"{len(prompts)} different prompts are answered with {quoted(next(iter(texts)))}"
    return Sighting(seen, tuple(exchange.id for exchange, _ in answers))


def _limit(sight: Sight) -> Sighting | None:
    def beyond(exchange: Exchange) -> str | None:
        fields = exchange.request.fields
        limit = reading.count(fields.get("max_completion_tokens", fields.get("max_tokens")))
        if not limit or fields.get("n", 1) != 1 or isinstance(fields.get("prompt"), list):
            return None
        used = _completion_tokens(exchange)
        return f"{used} tokens were generated where the limit is {limit}" if used and used > limit else None

    return among((*sight.wholes, *sight.streams), beyond)


def _completion_tokens(exchange: Exchange) -> int | None:
    try:
        values = [c.value for c in reading.chunks(exchange)] if exchange.is_stream else [body(exchange)]
    except Stop:
        return None
    usage = [found for value in values if (found := reading.usage(value)) is not None]
    return reading.count(usage[-1].get("completion_tokens")) if usage else None


def _stops(ending: Ending) -> Look:
    """Recognise a fault by how a text ends that a stop sequence should have ended."""

    def look(sight: Sight) -> Sighting | None:
        found = [j for j in sight.broken("stop.*.honoured") if _ends(sight, j, ending)]
        return of_judgements(found) if found else None

    return look


def _ends(sight: Sight, judgement: Judgement, ending: Ending) -> bool:
    cut, baseline, *_ = (sight.exchanges[piece.exchange] for piece in judgement.evidence)
    with suppress(Stop):
        return stopped_text(baseline, cut).ending is ending
    return False


def _one_choice(judgement: Judgement) -> bool:
    return (judgement.actual or "").endswith("is 1")


DIAGNOSES = (
    Diagnosis(
        "canned-text",
        "Every request is answered with the same text",
        "it is no model that answers",
        (
            "*.limit.*",
            "stop.*",
            "text.*",
            "structured.*",
            "tools.required.*",
            "tools.named.*",
            "sampling.effect.*",
            "choices.*",
            "completions.echo.*",
            "completions.prompt.*",
            "logprobs.*.present",
            "logprobs.*.streamed",
            "*.length",
        ),
        _canned,
    ),
    Diagnosis(
        "n-ignored",
        "n is accepted and ignored",
        "callers read choices[1] and get an IndexError",
        ("choices.*", "*.refused.n_zero"),
        broken("choices.*.number", "choices.*.streamed", found=_one_choice),
    ),
    Diagnosis(
        "limit-ignored",
        "The token limit is accepted and ignored",
        "callers pay for tokens and wait for text that they did not request",
        (
            "*.limit.*",
            "*.stream.limit",
            "*.stream.length",
            "sampling.effect.both_limits",
            "stop.*.usage",
            "choices.*.usage",
        ),
        _limit,
    ),
    Diagnosis(
        "stop-cut-out",
        "The stop sequence is cut out, and the text goes on behind it",
        "agents that stop at a marker act on what the model made up behind it",
        ("stop.*",),
        _stops(Ending.CUT_OUT),
    ),
    Diagnosis(
        "stop-ignored",
        "Stop sequences are accepted and ignored",
        "text runs on behind the sequence: agents that stop at a marker act on what the model made up",
        ("stop.*",),
        _stops(Ending.RAN_ON),
    ),
    Diagnosis(
        "stop-included",
        "The stop sequence is left in the text",
        "callers that cut at the sequence show it",
        ("stop.*",),
        broken("stop.*.excluded"),
    ),
    Diagnosis(
        "logprobs-ignored",
        "logprobs is accepted and ignored",
        "evaluation harnesses index into null (EleutherAI/lm-evaluation-harness)",
        ("logprobs.*", "completions.echo.logprobs", "completions.echo.first_null"),
        broken(
            "logprobs.*.present", "logprobs.*.streamed", found=lambda j: "null or missing" in (j.actual or "")
        ),
    ),
    Diagnosis(
        "echo-ignored",
        "echo is accepted and ignored",
        "evaluation harnesses score the prompt by what echo returns",
        ("completions.echo.*", "completions.prompt.order"),
        broken("completions.echo.text"),
    ),
    Diagnosis(
        "schema-ignored",
        "response_format is accepted and ignored",
        "callers parse the text as JSON, and raise",
        ("structured.*",),
        broken("structured.schema.*", "structured.object.*"),
    ),
    Diagnosis(
        "tool-choice-ignored",
        "tool_choice is accepted and ignored",
        "agents wait for a call that never comes",
        (
            "tools.required.*",
            "tools.named.*",
            "tools.call.*",
            "tools.stream.*",
            "tools.strict.*",
            "tools.parallel.*",
        ),
        broken("tools.required.called", "tools.required.streamed", "tools.named.called"),
    ),
    Diagnosis(
        "base64-ignored",
        "encoding_format is accepted and ignored",
        "openai-node decodes the numbers as base64 and returns a quarter as many, without an error",
        ("embeddings.format.*",),
        broken("embeddings.format.base64"),
    ),
    Diagnosis(
        "dimensions-ignored",
        "dimensions is accepted and ignored",
        "vector stores refuse vectors of another length",
        ("embeddings.dimensions.*",),
        broken("embeddings.dimensions.length"),
    ),
)
