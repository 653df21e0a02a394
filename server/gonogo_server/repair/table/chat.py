"""Rules about chat completions, whole and streamed, and about what they may be asked with."""

from __future__ import annotations

from typing import Final

from gonogo_server.repair.table.row import Action, Does, Row

REQUESTS: Final = (
    Row(
        ("chat.request.stream_false", "chat.request.neutral"),
        Action.EMULATED,
        "Parameters that ask for what happens anyway are left out.",
        (Does.NO_DEFAULTS,),
    ),
    Row(
        ("chat.request.stream_null", "chat.request.nulls"),
        Action.EMULATED,
        "Parameters that are null are left out.",
        (Does.NO_NULLS,),
    ),
    Row(
        ("chat.request.system", "chat.request.system_rendered"),
        Action.EMULATED,
        "The system message goes to the head of what the user says first.",
        (Does.DEVELOPER_AS_SYSTEM, Does.SYSTEM_IN_USER),
    ),
    Row(
        ("chat.request.developer",),
        Action.EMULATED,
        "Role developer is sent as role system.",
        (Does.DEVELOPER_AS_SYSTEM,),
    ),
    Row(
        ("chat.request.history",),
        Action.REFUSED,
        "Conversations with a turn of the assistant are refused.",
        (Does.REFUSE_HISTORY,),
    ),
    Row(
        ("chat.request.long",),
        Action.EMULATED,
        "The names of speakers are left out.",
        (Does.NO_NAMES,),
    ),
    Row(
        ("chat.request.temperature_zero",),
        Action.EMULATED,
        "A temperature of 0 is sent as 0.01, at which the likeliest token is drawn nearly always.",
        (Does.SMALL_TEMPERATURE,),
    ),
    Row(
        ("chat.request.parts", "chat.request.parts_rendered", "chat.request.parts_of_all"),
        Action.EMULATED,
        "Text parts are sent as one string.",
        (Does.PARTS_AS_TEXT,),
    ),
    Row(
        ("chat.request.bookkeeping", "sampling.accepted.bookkeeping"),
        Action.EMULATED,
        "Parameters for bookkeeping, which change no answer, are left out.",
        (Does.NO_BOOKKEEPING,),
    ),
    Row(
        ("chat.request.stop_string",),
        Action.EMULATED,
        "A stop sequence is sent as a list of one.",
        (Does.STOP_AS_LIST,),
    ),
    Row(
        ("chat.request.stop_list",),
        Action.EMULATED,
        "Stop sequences are looked for in the gateway.",
        (Does.STOP,),
        refused_too=True,
    ),
    Row(
        ("chat.request.silent_turns",),
        Action.REFUSED,
        "Conversations with an empty turn of the assistant are refused.",
        (Does.REFUSE_SILENT_TURNS,),
    ),
    Row(
        ("chat.request.picture", "chat.request.picture_seen"),
        Action.REFUSED,
        "Pictures are refused.",
        (Does.REFUSE_PICTURES,),
    ),
    Row(("chat.harmless.nul",), Action.REFUSED, "A character NUL is refused.", (Does.REFUSE_NUL,)),
    Row(
        ("chat.harmless.half_pair",),
        Action.REFUSED,
        "Half a surrogate pair is refused.",
        (Does.REFUSE_HALF_PAIRS,),
    ),
    Row(
        ("chat.harmless.late_system",),
        Action.REFUSED,
        "A system message after the first message is refused.",
        (Does.REFUSE_LATE_SYSTEM,),
    ),
    Row(
        ("chat.harmless.two_users",),
        Action.REFUSED,
        "A second message of the same speaker in a row is refused.",
        (Does.REFUSE_TURNS,),
    ),
    Row(
        ("chat.harmless.any_order",),
        Action.REFUSED,
        "Empty messages, and roles in an unusual order, are refused.",
        (Does.REFUSE_ORDER, Does.REFUSE_TURNS, Does.REFUSE_LATE_SYSTEM),
    ),
)

FORM: Final = "Every answer is brought into the form of the contract; one that cannot be becomes an error."

ANSWERS: Final = (
    Row(
        ("chat.response.", "chat.stream.", "ids.prefix.chat"),
        Action.REPAIRED,
        FORM,
    ),
    Row(
        ("chat.response.choices", "chat.response.json", "chat.response.message", "chat.response.one_choice"),
        Action.EMULATED,
        "Whole answers are put together from a stream.",
        (Does.CHAT_STREAMED,),
        kept="chat.stream.finish_reason",
    ),
    Row(
        ("chat.response.finish_reason",),
        Action.EMULATED,
        "Whole answers are put together from a stream, which tells why it ended.",
        (Does.CHAT_STREAMED,),
        kept="chat.stream.finish_reason",
    ),
    Row(
        ("chat.response.status",),
        Action.PASSED_ON,
        "What fails upstream fails here, in the envelope of the contract.",
    ),
    Row(
        ("chat.response.json",),
        Action.ENDED,
        "An answer that cannot be read becomes an error.",
    ),
    Row(
        ("chat.response.id_unique", "chat.stream.id_unique", "chat.response.now", "chat.stream.now"),
        Action.PASSED_ON,
        "An id, and a time, that the upstream gives is kept.",
    ),
    Row(
        ("chat.stream.model_agrees",),
        Action.PASSED_ON,
        "The name of the model is the upstream's word.",
    ),
    Row(
        ("chat.stream.as_written",),
        Action.PASSED_ON,
        "What the upstream holds back cannot be sent before it comes.",
    ),
    Row(
        ("chat.response.usage",),
        Action.EMULATED,
        "Whole answers are put together from a stream, which tells the count of tokens.",
        (Does.CHAT_STREAMED,),
        kept="chat.stream.usage",
    ),
    Row(
        ("chat.response.usage", "chat.response.usage_prompt", "chat.response.usage_completion"),
        Action.PASSED_ON,
        "Only the upstream can count its tokens.",
    ),
    Row(
        ("chat.response.usage_repeats", "chat.stream.usage_agrees"),
        Action.PASSED_ON,
        "Only the upstream can count its tokens.",
    ),
    Row(
        ("chat.limit.max_tokens",),
        Action.EMULATED,
        "The limit is sent by its newer name.",
        (Does.NEW_LIMIT,),
        kept="chat.limit.max_completion_tokens",
    ),
    Row(
        ("chat.limit.max_completion_tokens",),
        Action.EMULATED,
        "The limit is sent by its older name.",
        (Does.OLD_LIMIT,),
        kept="chat.limit.max_tokens",
        refused_too=True,
    ),
    Row(
        ("chat.limit.max_tokens", "chat.limit.max_completion_tokens"),
        Action.REFUSED,
        "A limit of tokens is refused, as nothing else can count them.",
        (Does.REFUSE_LIMITS,),
    ),
    Row(
        ("chat.limit.length",),
        Action.EMULATED,
        "Whole answers are put together from a stream, which tells why it ended.",
        (Does.CHAT_STREAMED,),
        kept="chat.stream.length",
    ),
    Row(
        ("chat.limit.length",),
        Action.EMULATED,
        "A whole answer of one choice that took as many tokens as its limit says so.",
        (Does.LENGTH,),
    ),
    Row(
        ("chat.stream.length",),
        Action.EMULATED,
        "A stream is made of a whole answer, which tells why it ended.",
        (Does.CHAT_WHOLE,),
        kept="chat.limit.length",
    ),
    Row(
        ("chat.stream.length",),
        Action.EMULATED,
        "A stream is made of a whole answer, whose count of tokens tells why it ended.",
        (Does.CHAT_WHOLE, Does.LENGTH),
    ),
    Row(
        ("chat.stream.works", "chat.stream.events", "chat.stream.text"),
        Action.EMULATED,
        "A stream is made of a whole answer.",
        (Does.CHAT_WHOLE,),
        kept="chat.response.message",
        refused_too=True,
    ),
    Row(
        ("chat.stream.works", "chat.stream.events", "chat.stream.text"),
        Action.ENDED,
        "A stream without what was asked for ends in an error.",
    ),
    Row(
        ("chat.stream.limit",),
        Action.EMULATED,
        "A stream is made of a whole answer, which keeps the limit.",
        (Does.CHAT_WHOLE,),
        kept="chat.limit.max_tokens",
    ),
    Row(
        ("chat.stream.limit",),
        Action.REFUSED,
        "A limit of tokens is refused, as nothing else can count them.",
        (Does.REFUSE_LIMITS,),
    ),
    Row(
        ("chat.stream.usage",),
        Action.REPAIRED,
        "The count of tokens is moved to a chunk of its own.",
        cause="usage-beside-choices",
    ),
    Row(
        ("chat.stream.usage",),
        Action.EMULATED,
        "A stream that is to count its tokens is made of a whole answer, which does.",
        (Does.CHAT_USAGE_WHOLE,),
        kept="chat.response.usage",
    ),
    Row(
        ("chat.stream.usage",),
        Action.REFUSED,
        "stream_options with include_usage are refused.",
        (Does.REFUSE_USAGE,),
    ),
    Row(
        ("chat.stream.obfuscation",),
        Action.EMULATED,
        "The padding is taken out of streams that asked for none.",
        (Does.NO_PADDING,),
    ),
)

ROWS: Final = (*REQUESTS, *ANSWERS)
