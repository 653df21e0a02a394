"""Rules about what generation can be asked for: sampling, stop sequences, log probabilities, forms of the text."""

from __future__ import annotations

from typing import Final

from gonogo_server.repair.table.row import Action, Does, Row

STOP: Final = (
    Row(
        ("stop.",),
        Action.EMULATED,
        "Stop sequences are looked for in the gateway, and not sent.",
        (Does.STOP,),
        refused_too=True,
    ),
    Row(
        ("stop.stream.",),
        Action.EMULATED,
        "In streams, stop sequences are looked for in the gateway, and not sent.",
        (Does.STOP_IN_STREAMS,),
        kept="stop.chat.honoured",
        refused_too=True,
    ),
    Row(
        ("stop.completions.stream", "stop.completions.stream_finish_reason"),
        Action.EMULATED,
        "In streams, stop sequences are looked for in the gateway, and not sent.",
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
        "What the upstream leaves of a stop sequence at the end of a text is cut off.",
        (Does.STOP_SENT,),
    ),
    Row(("stop.chat.usage",), Action.PASSED_ON, "Only the upstream can count its tokens."),
)

LOGPROBS: Final = (
    Row(("logprobs.chat.",), Action.REFUSED, "Chats with logprobs are refused.", (Does.REFUSE_LOGPROBS,)),
    Row(
        ("logprobs.chat.top_zero",),
        Action.EMULATED,
        "The upstream is asked for logprobs without top_logprobs, and its alternatives are left out.",
        (Does.NO_ZERO_ALTERNATIVES, Does.ALTERNATIVES),
        kept="logprobs.chat.no_top",
        refused_too=True,
    ),
    Row(
        ("logprobs.chat.stopped",),
        Action.EMULATED,
        "Stop sequences are looked for in the gateway, and not sent.",
        (Does.STOP,),
        kept="logprobs.chat.present",
    ),
    Row(
        ("logprobs.chat.no_tops_unasked", "logprobs.chat.tops_limited"),
        Action.EMULATED,
        "Alternatives that were not asked for are left out.",
        (Does.ALTERNATIVES,),
    ),
    Row(
        ("logprobs.chat.tops_sorted",),
        Action.EMULATED,
        "The alternatives are put into the order of their probability.",
        (Does.ALTERNATIVES,),
    ),
    Row(
        ("logprobs.chat.bytes", "logprobs.chat.spell"),
        Action.PASSED_ON,
        "How the upstream spells its tokens is not known here.",
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
        "How the upstream spells its tokens is not known here.",
    ),
    Row(
        ("logprobs.harmless.", "logprobs.refused."),
        Action.KEPT,
        "Such a request is refused before it is sent.",
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
        "An empty logit_bias is left out.",
        (Does.NO_DEFAULTS,),
    ),
    Row(
        ("sampling.effect.both_limits",),
        Action.EMULATED,
        "Of two limits the newer one is sent.",
        (Does.ONE_LIMIT,),
    ),
    Row(
        ("sampling.repeats.",),
        Action.PASSED_ON,
        "What the upstream draws is not known here.",
    ),
    Row(
        ("sampling.harmless.", "sampling.refused.", "sampling.named."),
        Action.KEPT,
        "Such a request is refused before it is sent.",
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
        ("structured.object.",),
        Action.REFUSED,
        "The response format json_object is refused.",
        (Does.REFUSE_OBJECT,),
    ),
    Row(
        ("structured.text.accepted",),
        Action.EMULATED,
        "The response format text, which is the default, is left out.",
        (Does.NO_TEXT_FORMAT,),
    ),
    Row(
        ("structured.harmless.", "structured.refused."),
        Action.KEPT,
        "Such a request is refused before it is sent.",
    ),
)

TEXT: Final = (
    Row(
        ("text.same", "text.completions_same"),
        Action.REPAIRED,
        "Deltas that repeat the text before them are shortened to what is new; nothing else changes a text.",
    ),
    Row(
        ("text.characters", "text.surrogates"),
        Action.EMULATED,
        "A stream is made of a whole answer.",
        (Does.CHAT_WHOLE, Does.COMPLETION_WHOLE),
    ),
    Row(
        ("text.",),
        Action.PASSED_ON,
        "The text, its end and its count are the upstream's, and not changed.",
    ),
)

ROWS: Final = (*STOP, *LOGPROBS, *SAMPLING, *STRUCTURED, *TEXT)
