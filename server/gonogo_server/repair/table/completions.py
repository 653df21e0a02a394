"""Rules about completions, embeddings, and several choices."""

from __future__ import annotations

from typing import Final

from gonogo_server.repair.table.chat import FORM
from gonogo_server.repair.table.row import Action, Does, Row

REQUESTS: Final = (
    Row(
        ("completions.prompt.",),
        Action.EMULATED,
        "Each prompt of a list becomes a separate request.",
        (Does.PROMPTS,),
        refused_too=True,
    ),
    Row(
        ("completions.prompt.token_lists",),
        Action.EMULATED,
        "Each prompt of a list becomes a separate request.",
        (Does.PROMPTS,),
        kept="completions.prompt.tokens",
        refused_too=True,
    ),
    Row(
        ("completions.prompt.tokens", "completions.prompt.token_lists"),
        Action.REFUSED,
        "Prompts in tokens are refused.",
        (Does.REFUSE_TOKENS,),
    ),
    Row(
        ("completions.prompt.tokens_counted",),
        Action.PASSED_ON,
        "Only the upstream can count its tokens.",
    ),
    Row(
        ("completions.harmless.", "completions.refused."),
        Action.KEPT,
        "The gateway refuses such a request itself.",
    ),
    Row(
        ("completions.echo.text", "completions.echo.stream"),
        Action.EMULATED,
        "The gateway prepends the prompt to the text; an echo of tokens, or with logprobs, is refused.",
        (Does.ECHO,),
        refused_too=True,
    ),
    Row(
        ("completions.echo.logprobs", "completions.echo.first_null"),
        Action.REFUSED,
        "An echo with logprobs is refused.",
        (Does.REFUSE_ECHO_LOGPROBS,),
    ),
    Row(
        ("completions.echo.nothing_else",),
        Action.REFUSED,
        "A limit of 0 tokens is refused.",
        (Does.REFUSE_ZERO_LIMIT,),
    ),
    Row(("completions.suffix.named",), Action.REFUSED, "A suffix is refused.", (Does.REFUSE_SUFFIX,)),
    Row(
        ("completions.request.nulls",),
        Action.EMULATED,
        "Null parameters are removed.",
        (Does.NO_NULLS,),
    ),
    Row(
        ("completions.request.neutral",),
        Action.EMULATED,
        "Parameters at their defaults, and the user, are removed.",
        (Does.NO_DEFAULTS, Does.NO_USER),
    ),
    Row(
        ("completions.request.stop_string",),
        Action.EMULATED,
        "A single stop sequence is sent as a list.",
        (Does.STOP_AS_LIST,),
    ),
    Row(
        ("completions.request.stop_list",),
        Action.EMULATED,
        "The gateway looks for stop sequences itself.",
        (Does.STOP,),
        refused_too=True,
    ),
)

ANSWERS: Final = (
    Row(
        ("completions.response.", "completions.stream.", "ids.prefix.completions"),
        Action.REPAIRED,
        FORM,
    ),
    Row(
        (
            "completions.response.choices",
            "completions.response.json",
            "completions.response.one_choice",
            "completions.response.text",
        ),
        Action.EMULATED,
        "Whole answers are assembled from a stream.",
        (Does.COMPLETION_STREAMED,),
        kept="completions.stream.finish_reason",
    ),
    Row(
        ("completions.response.finish_reason",),
        Action.EMULATED,
        "Whole answers are assembled from a stream, which has a finish reason.",
        (Does.COMPLETION_STREAMED,),
        kept="completions.stream.finish_reason",
    ),
    Row(
        ("completions.response.status",),
        Action.PASSED_ON,
        "Upstream failures become errors in the form of the contract.",
    ),
    Row(
        ("completions.response.json", "completions.response.choices"),
        Action.ENDED,
        "An answer that is unreadable or has no choices becomes an error.",
    ),
    Row(
        ("completions.response.id_unique", "completions.response.now", "completions.stream.now"),
        Action.PASSED_ON,
        "The upstream's id and creation time are kept.",
    ),
    Row(
        ("completions.response.usage",),
        Action.EMULATED,
        "Whole answers are assembled from a stream, which has usage.",
        (Does.COMPLETION_STREAMED,),
        kept="completions.stream.usage",
    ),
    Row(
        ("completions.response.usage", "completions.response.usage_prompt"),
        Action.PASSED_ON,
        "Only the upstream can count its tokens.",
    ),
    Row(
        ("completions.stream.limit",),
        Action.EMULATED,
        "A stream is created from a whole answer, which keeps the limit.",
        (Does.COMPLETION_WHOLE,),
        kept="completions.limit.max_tokens",
    ),
    Row(
        ("completions.limit.max_tokens", "completions.stream.limit"),
        Action.REFUSED,
        "A token limit is refused, because only the upstream can count tokens.",
        (Does.REFUSE_COMPLETION_LIMITS,),
    ),
    Row(
        ("completions.limit.length",),
        Action.EMULATED,
        "Whole answers are assembled from a stream, which has a finish reason.",
        (Does.COMPLETION_STREAMED,),
        kept="completions.stream.length",
    ),
    Row(
        ("completions.stream.length",),
        Action.EMULATED,
        "A stream is created from a whole answer, which has a finish reason.",
        (Does.COMPLETION_WHOLE,),
        kept="completions.limit.length",
    ),
    Row(
        ("completions.limit.length",),
        Action.EMULATED,
        (
            "A whole answer with one choice that used as many tokens as its limit gets the finish reason "
            '"length".'
        ),
        (Does.LENGTH,),
    ),
    Row(
        ("completions.stream.length",),
        Action.EMULATED,
        "A stream is created from a whole answer, whose token count gives the finish reason.",
        (Does.COMPLETION_WHOLE, Does.LENGTH),
    ),
    Row(
        (
            "completions.stream.works",
            "completions.stream.events",
            "completions.stream.carries_text",
        ),
        Action.EMULATED,
        "A stream is created from a whole answer.",
        (Does.COMPLETION_WHOLE,),
        kept="completions.response.text",
        refused_too=True,
    ),
    Row(
        (
            "completions.stream.works",
            "completions.stream.events",
            "completions.stream.carries_text",
        ),
        Action.ENDED,
        "A stream without the requested content ends with an error.",
    ),
    Row(
        ("completions.stream.usage",),
        Action.REPAIRED,
        "The usage is moved to a separate chunk.",
        cause="usage-beside-choices",
    ),
    Row(
        ("completions.stream.usage",),
        Action.EMULATED,
        "A stream with include_usage is created from a whole answer, which has usage.",
        (Does.COMPLETION_USAGE_WHOLE,),
        kept="completions.response.usage",
    ),
    Row(
        ("completions.stream.usage",),
        Action.REFUSED,
        "stream_options with include_usage is refused.",
        (Does.REFUSE_USAGE,),
    ),
)

CHOICES: Final = (
    Row(
        ("choices.chat.", "choices.completions."),
        Action.EMULATED,
        "Each of n choices becomes a separate request, with the seed increased by one each time; a "
        "best_of other than n is refused.",
        (Does.CHOICES, Does.REFUSE_BEST_OF),
        refused_too=True,
    ),
)

EMBEDDINGS: Final = (
    Row(
        ("embeddings.response.",),
        Action.REPAIRED,
        FORM,
    ),
    Row(
        ("embeddings.response.status",),
        Action.PASSED_ON,
        "Upstream failures become errors in the form of the contract.",
    ),
    Row(
        (
            "embeddings.response.json",
            "embeddings.response.data",
            "embeddings.response.vector",
            "embeddings.response.not_empty",
        ),
        Action.ENDED,
        "An answer that is unreadable or has no vectors becomes an error.",
    ),
    Row(
        ("embeddings.response.usage",),
        Action.REFUSED,
        "Embeddings are refused, as only the upstream can count its tokens.",
        (Does.REFUSE_EMBEDDINGS,),
    ),
    Row(
        ("embeddings.response.usage_prompt",),
        Action.PASSED_ON,
        "Only the upstream can count its tokens.",
    ),
    Row(
        ("embeddings.input.list", "embeddings.input.list_vectors", "embeddings.input.order"),
        Action.EMULATED,
        "Each input of a list becomes a separate request.",
        (Does.INPUTS,),
        refused_too=True,
    ),
    Row(
        ("embeddings.input.batch", "embeddings.response.one_length"),
        Action.EMULATED,
        "Each input of a list becomes a separate request.",
        (Does.INPUTS,),
    ),
    Row(
        ("embeddings.input.token_lists",),
        Action.EMULATED,
        "Each input of a list becomes a separate request.",
        (Does.INPUTS,),
        kept="embeddings.input.tokens",
        refused_too=True,
    ),
    Row(
        ("embeddings.input.tokens", "embeddings.input.token_lists"),
        Action.REFUSED,
        "Inputs in tokens are refused.",
        (Does.REFUSE_INPUT_TOKENS,),
    ),
    Row(
        ("embeddings.input.text", "embeddings.input.repeats"),
        Action.PASSED_ON,
        "Only the upstream can compute vectors.",
    ),
    Row(
        ("embeddings.input.not_cut",),
        Action.EMULATED,
        "A text with as many characters as those that were truncated is refused as too long.",
        (Does.TOO_LONG,),
    ),
    Row(
        ("embeddings.format.",),
        Action.EMULATED,
        "The gateway requests floats and encodes them as base64.",
        (Does.BASE64,),
        refused_too=True,
    ),
    Row(
        ("embeddings.format.default", "embeddings.format.float"),
        Action.REPAIRED,
        "Floats are decoded from base64.",
    ),
    Row(
        ("embeddings.harmless.", "embeddings.refused."),
        Action.KEPT,
        "The gateway refuses such a request itself.",
    ),
    Row(
        ("embeddings.dimensions.length",),
        Action.REFUSED,
        "The parameter dimensions is refused.",
        (Does.REFUSE_DIMENSIONS,),
    ),
    Row(("embeddings.request.user",), Action.EMULATED, "The user is removed.", (Does.NO_USER,)),
)

ROWS: Final = (*REQUESTS, *ANSWERS, *CHOICES, *EMBEDDINGS)
