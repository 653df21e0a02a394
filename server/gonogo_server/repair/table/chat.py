"""Rules about chat completions, whole and streamed, and their requests."""

from __future__ import annotations

from typing import Final

from gonogo_server.repair.table.row import Action, Does, Row

REQUESTS: Final = (
    Row(
        ("chat.request.stream_false", "chat.request.neutral"),
        Action.EMULATED,
        "Parameters at their defaults are removed.",
        (Does.NO_DEFAULTS,),
    ),
    Row(
        ("chat.request.stream_null", "chat.request.nulls"),
        Action.EMULATED,
        "Null parameters are removed.",
        (Does.NO_NULLS,),
    ),
    Row(
        ("chat.request.system", "chat.request.system_rendered"),
        Action.EMULATED,
        "The system message is prepended to the first user message.",
        (Does.DEVELOPER_AS_SYSTEM, Does.SYSTEM_IN_USER),
    ),
    Row(
        ("chat.request.developer",),
        Action.EMULATED,
        "The role developer is sent as the role system.",
        (Does.DEVELOPER_AS_SYSTEM,),
    ),
    Row(
        ("chat.request.history",),
        Action.REFUSED,
        "Conversations with an assistant message are refused.",
        (Does.REFUSE_HISTORY,),
    ),
    Row(
        ("chat.request.long",),
        Action.EMULATED,
        "The names of participants are removed.",
        (Does.NO_NAMES,),
    ),
    Row(
        ("chat.request.temperature_zero",),
        Action.EMULATED,
        "A temperature of 0 is sent as 0.01, which almost always picks the most likely token.",
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
        "metadata, store and user, which do not change answers, are removed.",
        (Does.NO_BOOKKEEPING,),
    ),
    Row(
        ("chat.request.stop_string",),
        Action.EMULATED,
        "A single stop sequence is sent as a list.",
        (Does.STOP_AS_LIST,),
    ),
    Row(
        ("chat.request.stop_list",),
        Action.EMULATED,
        "The gateway looks for stop sequences itself.",
        (Does.STOP,),
        refused_too=True,
    ),
    Row(
        ("chat.request.silent_turns",),
        Action.REFUSED,
        "Conversations with an empty assistant message are refused.",
        (Does.REFUSE_SILENT_TURNS,),
    ),
    Row(
        ("chat.request.picture", "chat.request.picture_seen"),
        Action.REFUSED,
        "Images are refused.",
        (Does.REFUSE_PICTURES,),
    ),
    Row(("chat.harmless.nul",), Action.REFUSED, "A NUL character is refused.", (Does.REFUSE_NUL,)),
    Row(
        ("chat.harmless.half_pair",),
        Action.REFUSED,
        "An unpaired surrogate is refused.",
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
        "A second message of the same role in a row is refused.",
        (Does.REFUSE_TURNS,),
    ),
    Row(
        ("chat.harmless.any_order",),
        Action.REFUSED,
        "Empty messages, and roles in an unusual order, are refused.",
        (Does.REFUSE_ORDER, Does.REFUSE_TURNS, Does.REFUSE_LATE_SYSTEM),
    ),
)

FORM: Final = (
    "Every answer is converted to the form of the contract; if that is impossible, it becomes an error."
)

ANSWERS: Final = (
    Row(
        ("chat.response.", "chat.stream.", "ids.prefix.chat"),
        Action.REPAIRED,
        FORM,
    ),
    Row(
        ("chat.response.choices", "chat.response.json", "chat.response.message", "chat.response.one_choice"),
        Action.EMULATED,
        "Whole answers are assembled from a stream.",
        (Does.CHAT_STREAMED,),
        kept="chat.stream.finish_reason",
    ),
    Row(
        ("chat.response.finish_reason",),
        Action.EMULATED,
        "Whole answers are assembled from a stream, which has a finish reason.",
        (Does.CHAT_STREAMED,),
        kept="chat.stream.finish_reason",
    ),
    Row(
        ("chat.response.status",),
        Action.PASSED_ON,
        "Upstream failures become errors in the form of the contract.",
    ),
    Row(
        ("chat.response.json",),
        Action.ENDED,
        "An unreadable answer becomes an error.",
    ),
    Row(
        ("chat.response.id_unique", "chat.stream.id_unique", "chat.response.now", "chat.stream.now"),
        Action.PASSED_ON,
        "The upstream's id and creation time are kept.",
    ),
    Row(
        ("chat.stream.model_agrees",),
        Action.PASSED_ON,
        "The model name comes from the upstream.",
    ),
    Row(
        ("chat.stream.as_written",),
        Action.PASSED_ON,
        "Text that the upstream buffers cannot be sent earlier.",
    ),
    Row(
        ("chat.response.usage",),
        Action.EMULATED,
        "Whole answers are assembled from a stream, which has usage.",
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
        "The limit is sent under its newer name.",
        (Does.NEW_LIMIT,),
        kept="chat.limit.max_completion_tokens",
    ),
    Row(
        ("chat.limit.max_completion_tokens",),
        Action.EMULATED,
        "The limit is sent under its older name.",
        (Does.OLD_LIMIT,),
        kept="chat.limit.max_tokens",
        refused_too=True,
    ),
    Row(
        ("chat.limit.max_tokens", "chat.limit.max_completion_tokens"),
        Action.REFUSED,
        "A token limit is refused, because only the upstream can count tokens.",
        (Does.REFUSE_LIMITS,),
    ),
    Row(
        ("chat.limit.length",),
        Action.EMULATED,
        "Whole answers are assembled from a stream, which has a finish reason.",
        (Does.CHAT_STREAMED,),
        kept="chat.stream.length",
    ),
    Row(
        ("chat.limit.length",),
        Action.EMULATED,
        (
            "A whole answer with one choice that used as many tokens as its limit gets the finish reason "
            '"length".'
        ),
        (Does.LENGTH,),
    ),
    Row(
        ("chat.stream.length",),
        Action.EMULATED,
        "A stream is created from a whole answer, which has a finish reason.",
        (Does.CHAT_WHOLE,),
        kept="chat.limit.length",
    ),
    Row(
        ("chat.stream.length",),
        Action.EMULATED,
        "A stream is created from a whole answer, whose token count gives the finish reason.",
        (Does.CHAT_WHOLE, Does.LENGTH),
    ),
    Row(
        ("chat.stream.works", "chat.stream.events", "chat.stream.text"),
        Action.EMULATED,
        "A stream is created from a whole answer.",
        (Does.CHAT_WHOLE,),
        kept="chat.response.message",
        refused_too=True,
    ),
    Row(
        ("chat.stream.works", "chat.stream.events", "chat.stream.text"),
        Action.ENDED,
        "A stream without the requested content ends with an error.",
    ),
    Row(
        ("chat.stream.limit",),
        Action.EMULATED,
        "A stream is created from a whole answer, which keeps the limit.",
        (Does.CHAT_WHOLE,),
        kept="chat.limit.max_tokens",
    ),
    Row(
        ("chat.stream.limit",),
        Action.REFUSED,
        "A token limit is refused, because only the upstream can count tokens.",
        (Does.REFUSE_LIMITS,),
    ),
    Row(
        ("chat.stream.usage",),
        Action.REPAIRED,
        "The usage is moved to a separate chunk.",
        cause="usage-beside-choices",
    ),
    Row(
        ("chat.stream.usage",),
        Action.EMULATED,
        "A stream with include_usage is created from a whole answer, which has usage.",
        (Does.CHAT_USAGE_WHOLE,),
        kept="chat.response.usage",
    ),
    Row(
        ("chat.stream.usage",),
        Action.REFUSED,
        "stream_options with include_usage is refused.",
        (Does.REFUSE_USAGE,),
    ),
    Row(
        ("chat.stream.obfuscation",),
        Action.EMULATED,
        "Padding is removed from streams that disabled it.",
        (Does.NO_PADDING,),
    ),
)

ROWS: Final = (*REQUESTS, *ANSWERS)
