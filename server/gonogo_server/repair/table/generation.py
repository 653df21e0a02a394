"""Rules about sampling, stop sequences, log probabilities and structured outputs."""

from __future__ import annotations

from typing import Final

from gonogo_server.repair.table.row import Action, Does, Row

STOP: Final = (
    Row(
        ("stop.",),
        Action.EMULATED,
        "The gateway looks for stop sequences itself and does not send them.",
        (Does.STOP,),
        refused_too=True,
    ),
    Row(
        ("stop.stream.",),
        Action.EMULATED,
        "In streams, the gateway looks for stop sequences itself and does not send them.",
        (Does.STOP_IN_STREAMS,),
        kept="stop.chat.honoured",
        refused_too=True,
    ),
    Row(
        ("stop.completions.stream", "stop.completions.stream_finish_reason"),
        Action.EMULATED,
        "In streams, the gateway looks for stop sequences itself and does not send them.",
        (Does.STOP_IN_STREAMS,),
        kept="stop.completions.honoured",
        refused_too=True,
    ),
    Row(
        (
            "stop.chat.excluded",
            "stop.stream.excluded",
            "stop.list.excluded",
            "stop.completions.excluded",
        ),
        Action.EMULATED,
        "Remains of a stop sequence at the end of a text are removed.",
        (Does.STOP_SENT,),
    ),
    Row(("stop.chat.usage",), Action.PASSED_ON, "Only the upstream can count its tokens."),
)

LOGPROBS: Final = (
    Row(("logprobs.chat.",), Action.REFUSED, "Chats with logprobs are refused.", (Does.REFUSE_LOGPROBS,)),
    Row(
        ("logprobs.chat.top_zero",),
        Action.EMULATED,
        "logprobs are requested without top_logprobs, and alternatives are removed.",
        (Does.NO_ZERO_ALTERNATIVES, Does.ALTERNATIVES),
        kept="logprobs.chat.no_top",
        refused_too=True,
    ),
    Row(
        ("logprobs.chat.stopped",),
        Action.EMULATED,
        "The gateway looks for stop sequences itself and does not send them.",
        (Does.STOP,),
        kept="logprobs.chat.present",
    ),
    Row(
        ("logprobs.chat.no_tops_unasked", "logprobs.chat.tops_limited"),
        Action.EMULATED,
        "Alternatives that were not requested are removed.",
        (Does.ALTERNATIVES,),
    ),
    Row(
        ("logprobs.chat.tops_sorted",),
        Action.EMULATED,
        "Alternatives are sorted by probability.",
        (Does.ALTERNATIVES,),
    ),
    Row(
        ("logprobs.chat.bytes", "logprobs.chat.spell"),
        Action.PASSED_ON,
        "The gateway does not know the upstream's token texts.",
    ),
    Row(
        ("logprobs.completions.",),
        Action.REFUSED,
        "Completions with logprobs are refused.",
        (Does.REFUSE_COMPLETION_LOGPROBS,),
    ),
    Row(
        (
            "logprobs.completions.tops_limited",
            "logprobs.completions.spell",
            "logprobs.completions.offsets",
            "logprobs.completions.offsets_begin",
        ),
        Action.PASSED_ON,
        "The gateway does not know the upstream's token texts.",
    ),
    Row(
        ("logprobs.harmless.", "logprobs.refused."),
        Action.KEPT,
        "The gateway refuses such a request itself.",
    ),
)

SAMPLING: Final = (
    Row(
        ("sampling.accepted.temperature", "sampling.effect.temperature"),
        Action.REFUSED,
        "A temperature other than 0 and 1 is refused.",
        (Does.REFUSE_TEMPERATURE,),
    ),
    Row(
        ("sampling.accepted.top_p", "sampling.effect.top_p"),
        Action.REFUSED,
        "A top_p other than 1 is refused.",
        (Does.REFUSE_TOP_P,),
    ),
    Row(
        ("sampling.accepted.penalties",),
        Action.REFUSED,
        "Penalties are refused.",
        (Does.REFUSE_PENALTIES,),
    ),
    Row(
        ("sampling.accepted.seed",),
        Action.REFUSED,
        "A seed below 0 is refused.",
        (Does.REFUSE_NEGATIVE_SEED,),
    ),
    Row(
        ("sampling.accepted.logit_bias", "sampling.effect.logit_bias"),
        Action.REFUSED,
        "The parameter logit_bias is refused.",
        (Does.REFUSE_BIAS,),
    ),
    Row(
        ("sampling.accepted.reasoning_effort",),
        Action.REFUSED,
        "The parameter reasoning_effort is refused.",
        (Does.REFUSE_EFFORT,),
    ),
    Row(
        ("sampling.accepted.bias_empty",),
        Action.EMULATED,
        "An empty logit_bias is removed.",
        (Does.NO_DEFAULTS,),
    ),
    Row(
        ("sampling.effect.both_limits",),
        Action.EMULATED,
        "Of two limits, the newer one is sent.",
        (Does.ONE_LIMIT,),
    ),
    Row(
        ("sampling.repeats.",),
        Action.PASSED_ON,
        "The gateway cannot control the upstream's sampling.",
    ),
    Row(
        ("sampling.harmless.", "sampling.refused.", "sampling.named."),
        Action.KEPT,
        "The gateway refuses such a request itself.",
    ),
)

STRUCTURED: Final = (
    Row(
        ("structured.schema.",),
        Action.REFUSED,
        "The response format json_schema is refused.",
        (Does.REFUSE_SCHEMA,),
    ),
    Row(
        ("structured.schema.definitions", "structured.harmless.definitions"),
        Action.REFUSED,
        "A response format whose schema has definitions is refused.",
        (Does.REFUSE_DEFINITIONS,),
    ),
    Row(
        ("structured.schema.escapes", "structured.schema.pattern"),
        Action.REFUSED,
        "A response format whose schema has a pattern is refused.",
        (Does.REFUSE_PATTERN,),
    ),
    Row(
        ("structured.object.",),
        Action.REFUSED,
        "The response format json_object is refused.",
        (Does.REFUSE_OBJECT,),
    ),
    Row(
        ("structured.text.accepted",),
        Action.EMULATED,
        "The response format text, which is the default, is removed.",
        (Does.NO_TEXT_FORMAT,),
    ),
    Row(
        ("structured.harmless.", "structured.refused."),
        Action.KEPT,
        "The gateway refuses such a request itself.",
    ),
)

TEXT: Final = (
    Row(
        ("text.same", "text.completions_same"),
        Action.REPAIRED,
        "Cumulative deltas are reduced to the new text; the text itself is never changed.",
    ),
    Row(
        ("text.characters", "text.surrogates"),
        Action.EMULATED,
        "A stream is created from a whole answer.",
        (Does.CHAT_WHOLE, Does.COMPLETION_WHOLE),
    ),
    Row(
        ("text.",),
        Action.PASSED_ON,
        "The text, its end and its token count come from the upstream and are not changed.",
    ),
)

ROWS: Final = (*STOP, *LOGPROBS, *SAMPLING, *STRUCTURED, *TEXT)
