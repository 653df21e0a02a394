"""Rules about tools, errors, keys, HTTP, stream bytes, models, and other APIs."""

from __future__ import annotations

from typing import Final

from gonogo_server.repair.table.row import Action, Does, Row

TOOLS: Final = (
    Row(
        ("tools.request.empty", "tools.request.none_without_tools"),
        Action.EMULATED,
        "An empty list of tools, and a tool choice without tools, are removed.",
        (Does.NO_EMPTY_TOOLS,),
    ),
    Row(
        ("tools.request.strict",),
        Action.EMULATED,
        "The flag strict is removed if it is false.",
        (Does.NO_STRICT_FALSE,),
    ),
    Row(
        ("tools.request.no_parameters",),
        Action.EMULATED,
        "A tool without parameters is sent with the schema of an empty object.",
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
        "Null content next to tool calls is sent as an empty string.",
        (Does.CONTENT_EMPTY,),
    ),
    Row(
        ("tools.history.no_content", "tools.history.empty_content"),
        Action.EMULATED,
        "A message with tool calls and without content is sent with null content.",
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
        "Messages that are sent back are reduced to the fields of the contract.",
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
        "The gateway refuses such a request itself.",
    ),
    Row(
        ("tools.harmless.malformed",),
        Action.REFUSED,
        "A tool whose parameters are not a JSON Schema is refused.",
        (Does.REFUSE_MALFORMED,),
    ),
    Row(
        ("tools.harmless.orphan", "tools.refused.orphan"),
        Action.REFUSED,
        "A tool result without a tool call is refused.",
        (Does.REFUSE_ORPHANS,),
    ),
    Row(
        ("tools.harmless.arguments_empty", "tools.harmless.arguments_cut"),
        Action.REFUSED,
        "A conversation with a tool call whose arguments are not a JSON object is refused.",
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
        "Tool calls are converted to the form of the contract.",
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
        "The id and arguments of a tool call come from the upstream and are not changed.",
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
        "A stream that may call tools is created from a whole answer.",
        (Does.CHAT_CALLS_WHOLE,),
    ),
    Row(
        ("tools.stream.usage",),
        Action.REPAIRED,
        "The usage is moved to a separate chunk.",
        cause="usage-beside-choices",
    ),
    Row(
        ("tools.stream.usage",),
        Action.EMULATED,
        "A stream with include_usage is created from a whole answer, which has usage.",
        (Does.CHAT_USAGE_WHOLE,),
        kept="chat.response.usage",
    ),
    Row(
        ("tools.stream.usage",),
        Action.REFUSED,
        "stream_options with include_usage is refused.",
        (Does.REFUSE_USAGE,),
    ),
    Row(
        ("tools.functions.not_ignored",),
        Action.REFUSED,
        "The deprecated functions are refused.",
        (Does.REFUSE_FUNCTIONS,),
    ),
)

ERRORS: Final = (
    Row(
        ("errors.harmless.unknown_model", "errors.refused.unknown_model", "errors.status.unknown_model"),
        Action.EMULATED,
        "The gateway looks up a model in the upstream's list and answers 404 if it is missing.",
        (Does.LISTED_ALONE,),
    ),
    Row(
        ("errors.harmless.", "errors.refused.", "errors.status.", "errors.detail.", "errors.encoding."),
        Action.KEPT,
        "The gateway refuses such a request itself.",
    ),
    Row(
        ("errors.envelope.", "errors.context.status", "errors.context.code", "errors.token_limit.status"),
        Action.KEPT,
        "Errors of the upstream are rewritten with a status and a code of the contract.",
    ),
    Row(
        ("errors.unknown_field.",),
        Action.REFUSED,
        "Unknown fields are refused.",
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
        "A prompt with as many characters as the one that was too long is refused as too long.",
        (Does.TOO_LONG,),
    ),
)

AROUND: Final = (
    Row(
        ("http.",),
        Action.KEPT,
        "The gateway handles connections, headers and codings towards clients itself.",
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
        "The speed and capacity of the upstream cannot be changed here.",
    ),
    Row(
        ("keys.",),
        Action.KEPT,
        "The gateway checks client keys itself and uses its own key for the upstream.",
    ),
    Row(
        ("models.",),
        Action.KEPT,
        "The gateway writes the model list and its entries from the upstream's list.",
    ),
    Row(
        ("models.list.status", "models.list.json", "models.list.data", "models.entry.id"),
        Action.EMULATED,
        "If the upstream has no model list, the gateway lists the models that were checked.",
        (Does.LISTED_IN_REPORT,),
    ),
    Row(
        ("models.retrieve.",),
        Action.EMULATED,
        "A model is looked up in the model list and is not found if it is not listed.",
        (Does.RETRIEVED_FROM_LIST,),
        refused_too=True,
    ),
    Row(
        ("models.list.stable", "models.list.serves"),
        Action.PASSED_ON,
        "Only the upstream knows its models.",
    ),
    Row(
        ("stream.",),
        Action.REPAIRED,
        "The gateway writes streams event by event; a stream that breaks off ends with an error.",
    ),
    Row(
        ("clients.",),
        Action.REPAIRED,
        "Clients read what the gateway writes; the underlying rules are repaired on their own.",
    ),
    Row(
        ("fuzz.", "robustness."),
        Action.KEPT,
        (
            "Generated requests are validated before they are sent, and their answers are repaired like "
            "all others."
        ),
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
        ("messages.",),
        Action.EMULATED,
        "Messages are translated into chat completions.",
        (Does.TRANSLATE_MESSAGES,),
        failed_only=True,
    ),
    Row(
        ("responses.", "messages."),
        Action.PASSED_ON,
        "Responses and messages of the upstream are forwarded unchanged.",
    ),
)

ROWS: Final = (*TOOLS, *ERRORS, *AROUND, *SURFACES)
