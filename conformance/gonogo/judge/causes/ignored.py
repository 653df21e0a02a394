"""Parameters that are accepted and ignored."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.causes.counts import constant
from gonogo.judge.causes.diagnosis import (
    Diagnosis,
    Sighting,
    among,
    broken,
    ignoring,
    of_judgements,
)
from gonogo.judge.causes.forms import only_in
from gonogo.judge.causes.observations import GENERATIONS, body, fits, pieces, quoted, whole_text
from gonogo.judge.checks.counts import MOST_WORDS, piece
from gonogo.judge.checks.stops import Ending, stopped_text
from gonogo.judge.outcome import Stop
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo.exchange import Exchange
    from gonogo.judge.causes.diagnosis import Look
    from gonogo.judge.causes.observations import Observations
    from gonogo.judge.reading import Object
    from gonogo.verdict import Judgement


STOPPED = ("stop.*.honoured", "stop.completions.stream")
"""The rules by which a text ends at its stop sequence, in each form."""

NUMBERED = ("choices.*.number", "choices.*.streamed")
"""The rules by which the number of choices is the requested one, in each form."""

ENOUGH = 5
"""Different prompts, to which no model gives the same answer."""


def _canned(observed: Observations) -> Sighting | None:
    """Different prompts and limits of one operation, complete and streamed, always have the same text."""
    for path in GENERATIONS:
        answers = [exchange for exchange in observed.answers if exchange.request.path == path]
        said = [(e, text) for e in answers if (text := whole_text(e) or "".join(pieces(e)))]
        prompts = {str(e.request.fields.get("messages", e.request.fields.get("prompt"))) for e, _ in said}
        if len({text for _, text in said}) == 1 and len(prompts) >= ENOUGH:
            seen = f"{len(prompts)} different prompts are answered with {quoted(said[0][1])}"
            rest = [exchange.id for exchange in observed.answers]
            return Sighting(seen, tuple(dict.fromkeys([*(exchange.id for exchange, _ in said), *rest])))
    return None


def _limit(observed: Observations) -> Sighting | None:
    """Answers exceed their limit: by usage, by words if there is no usage, or because all are equally long."""
    counted = constant(observed) is None

    def beyond(exchange: Exchange) -> str | None:
        fields = exchange.request.fields
        limit = reading.count(fields.get("max_completion_tokens", fields.get("max_tokens")))
        if not limit or limit < 0 or fields.get("n", 1) != 1 or isinstance(fields.get("prompt"), list):
            return None
        used = _completion_tokens(exchange) if counted else None
        if used is not None:
            return f"{used} tokens were generated although the limit is {limit}" if used > limit else None
        words = 0 if fields.get("echo") is True else len(_text(exchange).split())
        return (
            f"the text has {words} words although the token limit is {limit}"
            if words > limit * MOST_WORDS
            else None
        )

    seen = among(observed.answers, beyond)
    if seen is None:
        return None
    wrong = [observed.exchanges[name] for name in seen.exchanges]
    kept = [exchange for exchange in observed.answers if _ends_at_limit(exchange)]
    return replace(seen, seen=seen.seen + (_newer_only(wrong, kept) or only_in(wrong, kept)))


def _newer_only(wrong: Iterable[Exchange], kept: Iterable[Exchange]) -> str:
    """A clause if only the newer name of the limit is ignored."""
    newer, older = "max_completion_tokens", "max_tokens"
    if any(newer not in e.request.fields for e in wrong) or any(newer in e.request.fields for e in kept):
        return ""
    return f", by {newer} only" if any(older in e.request.fields for e in kept) else ""


def _ends_at_limit(exchange: Exchange) -> bool:
    """Whether an answer shows that its limit is kept: it has exactly that number of tokens."""
    fields = exchange.request.fields
    limit = fields.get("max_completion_tokens", fields.get("max_tokens"))
    return limit is not None and limit == _completion_tokens(exchange)


def _zero_limit(observed: Observations) -> Sighting | None:
    def generates(exchange: Exchange) -> str | None:
        fields = exchange.request.fields
        limit = reading.count(fields.get("max_completion_tokens", fields.get("max_tokens")))
        used = _completion_tokens(exchange)
        return f"completion_tokens is {used} although the limit is 0" if limit == 0 and used else None

    return among(observed.answers, generates)


def _text(exchange: Exchange) -> str:
    return "".join(pieces(exchange)) if exchange.is_stream else whole_text(exchange)


def _completion_tokens(exchange: Exchange) -> int | None:
    try:
        values = [c.value for c in reading.chunks(exchange)] if exchange.is_stream else [body(exchange)]
    except Stop:
        return None
    usage = [found for value in values if (found := reading.usage(value)) is not None]
    return reading.count(usage[-1].get("completion_tokens")) if usage else None


def _stops(ending: Ending) -> Look:
    """Recognise a fault by the end of a text that should have ended at a stop sequence."""

    def look(observed: Observations) -> Sighting | None:
        return _with_forms(
            observed, [j for j in observed.broken(*STOPPED) if _ends(observed, j, ending)], STOPPED
        )

    return look


def _with_forms(observed: Observations, found: list[Judgement], rules: tuple[str, ...]) -> Sighting | None:
    """The findings of broken rules, and their forms if rules of the same kind pass in other forms."""
    if not found:
        return None
    kept = [j for j in observed.judgements.values() if j.verdict is Verdict.PASS and fits(j.rule.id, rules)]
    seen = of_judgements(found)
    return replace(seen, seen=seen.seen + only_in(map(observed.shown, found), map(observed.shown, kept)))


def _ends(observed: Observations, judgement: Judgement, ending: Ending) -> bool:
    cut, baseline, *_ = (observed.exchanges[piece.exchange] for piece in judgement.evidence)
    with suppress(Stop):
        return stopped_text(baseline, cut).ending is ending
    return False


def _logprobs(observed: Observations) -> Sighting | None:
    """Log probabilities are missing although a rule requests them; includes all other such answers without them."""
    look = broken("logprobs.*.present", "logprobs.*.streamed", found=_without_logprobs)
    seen = look(observed)
    if seen is None:
        return None
    asked = [
        e for e in observed.accepted if not e.request.fields.keys().isdisjoint(("logprobs", "top_logprobs"))
    ]
    with_them = [e for e in asked if any(choice.get("logprobs") for choice in _choices(e))]
    none = [e.id for e in asked if e not in with_them]
    where = only_in((observed.exchanges[name] for name in seen.exchanges), with_them)
    return Sighting(seen.seen + where, tuple(dict.fromkeys([*seen.exchanges, *none])), seen.at, seen.lead)


def _without_logprobs(observed: Observations, judgement: Judgement) -> bool:
    """No choice has log probabilities in either form."""
    return not any(choice.get("logprobs") for choice in _choices(observed.shown(judgement)))


def _n(observed: Observations) -> Sighting | None:
    return _with_forms(
        observed, [j for j in observed.broken(*NUMBERED) if _one_choice(observed, j)], NUMBERED
    )


def _one_choice(observed: Observations, judgement: Judgement) -> bool:
    """There is only one choice; if it continues after its finish reason, other choices had its index."""
    choices = _choices(observed.shown(judgement))
    if len({choice.get("index") for choice in choices}) != 1:
        return False
    end = next((at for at, choice in enumerate(choices) if choice.get("finish_reason")), len(choices))
    return not any(piece(choice) for choice in choices[end + 1 :])


def _choices(exchange: Exchange) -> list[Object]:
    if not exchange.is_stream:
        return reading.objects(body(exchange).get("choices"))
    with suppress(Stop):
        return [choice for chunk in reading.chunks(exchange) for choice in chunk.choices]
    return []


CANNED = (
    Diagnosis(
        "canned-text",
        "Every request gets the same text",
        "no model generates the answers",
        (
            "*.limit.*",
            "*.length",
            "*.usage*",
            "*usage",
            "stop.*",
            "text.*",
            "*.same.*",
            "structured.*",
            "tools.*",
            "sampling.effect.*",
            "choices.*",
            "completions.*",
            "logprobs.*",
            "chat.request.*_rendered",
            "chat.request.picture_seen",
            "chat.response.finish_called",
            "chat.stream.limit",
            "chat.stream.finish_called",
            "errors.token_limit.*",
        ),
        _canned,
    ),
)

LIMIT = (
    Diagnosis(
        "limit-ignored",
        "The token limit is accepted and ignored",
        "callers wait for text and pay for tokens that they did not request",
        (
            "*.limit.*",
            "*.stream.limit",
            "*.stream.length",
            "completions.echo.nothing_else",
            "sampling.effect.both_limits",
            "stop.*.usage",
            "choices.*.usage",
            "*.same.*",
            "*.refused.max_tokens_*",
            "errors.status.max_tokens_*",
        ),
        ignoring(_limit, "max_tokens", "max_completion_tokens"),
    ),
)

PARAMETERS = (
    Diagnosis(
        "n-ignored",
        "n is accepted and ignored",
        "callers read choices[1] and get an IndexError",
        ("choices.*", "*.refused.n_zero", "*.refused.best_of_below_n"),
        ignoring(_n, "n", "best_of"),
    ),
    Diagnosis(
        "stop-cut-out",
        "The stop sequence is removed, but the text continues after it",
        "agents that stop at a marker act on invented text after it",
        ("stop.*",),
        _stops(Ending.CUT_OUT),
    ),
    Diagnosis(
        "stop-ignored",
        "Stop sequences are accepted and ignored",
        "the text continues after the sequence: agents that stop at a marker act on invented text",
        ("stop.*", "*.refused.stop_too_many"),
        ignoring(_stops(Ending.RAN_ON), "stop"),
    ),
    Diagnosis(
        "stop-included",
        "The stop sequence is left in the text",
        "callers show the sequence to users",
        ("stop.*",),
        broken("stop.*.excluded"),
    ),
    Diagnosis(
        "logprobs-ignored",
        "logprobs is accepted and ignored",
        "evaluation harnesses index into null (EleutherAI/lm-evaluation-harness)",
        ("logprobs.*", "completions.echo.logprobs", "completions.echo.first_null"),
        _logprobs,
    ),
    Diagnosis(
        "echo-ignored",
        "echo is accepted and ignored",
        "evaluation harnesses score the prompt by what echo returns",
        (
            *("completions.echo.text", "completions.echo.stream", "completions.echo.first_null"),
            *("completions.echo.logprobs", "completions.prompt.order"),
        ),
        ignoring(broken("completions.echo.text"), "echo"),
    ),
    Diagnosis(
        "schema-ignored",
        "response_format is accepted and ignored",
        "callers parse the text as JSON and raise",
        ("structured.*",),
        ignoring(broken("structured.schema.*", "structured.object.*"), "response_format"),
    ),
    Diagnosis(
        "tool-choice-ignored",
        "tool_choice is accepted and ignored",
        "agents wait for a tool call that never comes",
        (
            "tools.required.*",
            "tools.named.*",
            "tools.call.*",
            "tools.stream.*",
            "tools.strict.*",
            "tools.parallel.*",
            "tools.refused.un*",
            "tools.refused.no_tools",
            "tools.refused.tools_string",
            "tools.refused.name_pattern",
            "responses.tools.*",
            "messages.tools.*",
            "responses.call.*",
            "responses.echo.tool_choice",
        ),
        ignoring(
            broken("tools.required.called", "tools.required.streamed", "tools.named.called"),
            "tools",
            "tool_choice",
        ),
    ),
    Diagnosis(
        "base64-ignored",
        "encoding_format is accepted and ignored",
        "openai-node decodes the numbers as base64 and returns a quarter as many, without an error",
        ("embeddings.format.*", "embeddings.refused.format"),
        ignoring(broken("embeddings.format.base64"), "encoding_format"),
    ),
    Diagnosis(
        "dimensions-ignored",
        "dimensions is accepted and ignored",
        "vector stores reject vectors of another length",
        ("embeddings.dimensions.*",),
        ignoring(broken("embeddings.dimensions.length"), "dimensions"),
    ),
)

ZERO = (
    Diagnosis(
        "limit-zero-ignored",
        "Tokens are generated although the limit is 0",
        "callers that want only likelihoods wait and pay for unrequested text",
        (
            "completions.echo.nothing_else",
            "*.refused.max_tokens_zero",
            "errors.status.max_tokens_zero",
            "sampling.named.max_tokens_zero",
        ),
        _zero_limit,
    ),
)
"""Diagnoses that are tried only if parameters are validated in general."""
