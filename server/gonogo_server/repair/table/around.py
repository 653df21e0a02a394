"""Rules about tools, and about what is around answers: errors, keys, HTTP, the bytes of streams, models, other APIs."""

from __future__ import annotations

from typing import Final

from gonogo_server.repair.table.row import Action, Does, Row

TOOLS: Final = (
    Row(
        ("tools.request.empty", "tools.request.none_without_tools"),
        Action.EMULATED,
        "An empty list of tools, and a tool choice without tools, are left out.",
        (Does.NO_EMPTY_TOOLS,),
    ),
    Row(
        ("tools.request.strict",),
        Action.EMULATED,
        "The flag strict is left out where it is false.",
        (Does.NO_STRICT_FALSE,),
    ),
    Row(
        ("tools.request.no_parameters",),
        Action.EMULATED,
        "A tool without parameters is sent with those of an empty object.",
        (Does.PARAMETERS_GIVEN,),
    ),
    Row(
        ("tools.request.named",),
        Action.REFUSED,
        "A tool choice by name is refused.",
        (Does.REFUSE_NAMED,),
    ),
    Row(
        ("tools.request.survived", "tools.request.untyped", "tools.request.definitions"),
        Action.REFUSED,
        "Tools are refused.",
        (Does.REFUSE_TOOLS,),
    ),
    Row(
        ("tools.history.null_content",),
        Action.EMULATED,
        "Content that is null beside calls is sent as an empty text.",
        (Does.CONTENT_EMPTY,),
    ),
    Row(
        ("tools.history.no_content", "tools.history.empty_content"),
        Action.EMULATED,
        "A message with calls and no content is sent with content null.",
        (Does.CONTENT_NULL,),
    ),
    Row(
        ("tools.history.parts", "tools.history.parts_rendered"),
        Action.EMULATED,
        "Text parts are sent as one string.",
        (Does.PARTS_AS_TEXT,),
    ),
    Row(
        ("tools.history.own",),
        Action.EMULATED,
        "Of a message that is sent back, only what the contract has is sent on.",
        (Does.CALLS_ALONE,),
    ),
    Row(
        ("tools.history.several",),
        Action.REFUSED,
        "Tools are refused.",
        (Does.REFUSE_TOOLS,),
    ),
    Row(
        ("tools.harmless.", "tools.refused."),
        Action.KEPT,
        "Such a request is refused before it is sent.",
    ),
    Row(
        ("tools.harmless.malformed",),
        Action.REFUSED,
        "A tool whose parameters are no JSON Schema is refused.",
        (Does.REFUSE_MALFORMED,),
    ),
    Row(
        ("tools.harmless.orphan", "tools.refused.orphan"),
        Action.REFUSED,
        "A result that no call asked for is refused.",
        (Does.REFUSE_ORPHANS,),
    ),
    Row(
        ("tools.harmless.arguments_empty", "tools.harmless.arguments_cut"),
        Action.REFUSED,
        "A conversation with a call whose arguments are no JSON object is refused.",
        (Does.REFUSE_CUT_ARGUMENTS,),
    ),
    Row(
        ("tools.required.",),
        Action.REFUSED,
        'The tool choice "required" is refused.',
        (Does.REFUSE_REQUIRED,),
    ),
    Row(("tools.named.",), Action.REFUSED, "A tool choice by name is refused.", (Does.REFUSE_NAMED,)),
    Row(
        ("tools.none.silent",),
        Action.EMULATED,
        'With the tool choice "none" no tools are sent.',
        (Does.NO_TOOLS_FOR_NONE,),
    ),
    Row(("tools.strict.kept",), Action.REFUSED, "Strict tools are refused.", (Does.REFUSE_STRICT,)),
    Row(
        ("tools.parallel.one",),
        Action.REFUSED,
        "parallel_tool_calls false is refused.",
        (Does.REFUSE_PARALLEL,),
    ),
    Row(
        ("tools.call.", "tools.stream."),
        Action.REPAIRED,
        "Calls are brought into the form of the contract.",
    ),
    Row(
        ("tools.call.name", "tools.call.offered"),
        Action.REFUSED,
        "Tools are refused.",
        (Does.REFUSE_TOOLS,),
    ),
    Row(
        ("tools.call.arguments_json", "tools.stream.arguments_json", "tools.call.id_unique"),
        Action.PASSED_ON,
        "The id of a call, and its arguments, are the upstream's, and not changed.",
    ),
    Row(
        (
            "tools.stream.name",
            "tools.stream.agrees",
            "tools.stream.arguments_kept",
            "tools.stream.arguments_of_two",
            "tools.stream.same_arguments",
            "tools.stream.same_arguments_of_two",
        ),
        Action.EMULATED,
        "A stream that may call tools is made of a whole answer.",
        (Does.CHAT_CALLS_WHOLE,),
    ),
    Row(
        ("tools.stream.usage",),
        Action.REPAIRED,
        "The count of tokens is moved to a chunk of its own.",
        cause="usage-beside-choices",
    ),
    Row(
        ("tools.stream.usage",),
        Action.EMULATED,
        "A stream that is to count its tokens is made of a whole answer, which does.",
        (Does.CHAT_USAGE_WHOLE,),
        kept="chat.response.usage",
    ),
    Row(
        ("tools.stream.usage",),
        Action.REFUSED,
        "stream_options with include_usage are refused.",
        (Does.REFUSE_USAGE,),
    ),
    Row(
        ("tools.functions.not_ignored",),
        Action.REFUSED,
        "Functions in the form before tools are refused.",
        (Does.REFUSE_FUNCTIONS,),
    ),
)

ERRORS: Final = (
    Row(
        ("errors.harmless.unknown_model", "errors.refused.unknown_model", "errors.status.unknown_model"),
        Action.EMULATED,
        "The gateway looks a model up in the list of the upstream, and answers 404 where it is not there.",
        (Does.LISTED_ALONE,),
    ),
    Row(
        ("errors.harmless.", "errors.refused.", "errors.status.", "errors.detail.", "errors.encoding."),
        Action.KEPT,
        "Such a request is refused before it is sent.",
    ),
    Row(
        ("errors.envelope.", "errors.context.status", "errors.context.code", "errors.token_limit.status"),
        Action.KEPT,
        "Errors of the upstream are written anew, with a status and a code of the contract.",
    ),
    Row(
        ("errors.unknown_field.",),
        Action.REFUSED,
        "Fields that nobody knows are refused.",
        (Does.REFUSE_UNKNOWN,),
    ),
    Row(
        ("errors.token_limit.harmless", "errors.token_limit.late"),
        Action.REFUSED,
        "A limit of more than a million tokens is refused.",
        (Does.REFUSE_HUGE_LIMIT,),
    ),
    Row(
        ("errors.context.harmless", "errors.context.whole"),
        Action.EMULATED,
        "A prompt of as many characters as the one that was too long is refused as too long.",
        (Does.TOO_LONG,),
    ),
)

AROUND: Final = (
    Row(
        ("http.",),
        Action.KEPT,
        "Connections, heads and codings towards clients are the gateway's own.",
    ),
    Row(
        (
            "http.in_time",
            "http.refused_in_time",
            "http.client_leaves",
            "http.left_prompt",
            "http.retry_after",
        ),
        Action.PASSED_ON,
        "How fast the upstream is, and how many it serves, is its own.",
    ),
    Row(
        ("keys.",),
        Action.KEPT,
        "Keys of clients are compared by the gateway, which has one of its own upstream.",
    ),
    Row(
        ("models.",),
        Action.KEPT,
        "The list of models, and each of its entries, is written by the gateway from what the upstream lists.",
    ),
    Row(
        ("models.list.status", "models.list.json", "models.list.data", "models.entry.id"),
        Action.EMULATED,
        "Where the upstream gives no list of models, the list has those that were checked.",
        (Does.LISTED_IN_REPORT,),
    ),
    Row(
        ("models.retrieve.",),
        Action.EMULATED,
        "A model is taken out of the list of models, and is not found where it is not in it.",
        (Does.RETRIEVED_FROM_LIST,),
        refused_too=True,
    ),
    Row(
        ("models.list.stable", "models.list.serves"),
        Action.PASSED_ON,
        "Which models there are is the upstream's word.",
    ),
    Row(
        ("stream.",),
        Action.REPAIRED,
        "Streams are written by the gateway, event by event; one that breaks off ends in an error.",
    ),
    Row(
        ("clients.",),
        Action.REPAIRED,
        "What a client reads is what the gateway writes; the rules that it stumbled over are mended on their own.",
    ),
    Row(
        ("fuzz.", "robustness."),
        Action.KEPT,
        "Generated requests are checked before they are sent, and answers to them are mended as all are.",
    ),
)

SURFACES: Final = (
    Row(
        ("responses.",),
        Action.EMULATED,
        "Responses are translated into chat completions.",
        (Does.TRANSLATE_RESPONSES,),
        failed_only=True,
    ),
    Row(
        ("responses.",),
        Action.PASSED_ON,
        "Responses of the upstream are forwarded unchanged.",
    ),
)

ROWS: Final = (*TOOLS, *ERRORS, *AROUND, *SURFACES)
