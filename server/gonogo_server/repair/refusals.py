"""Requests for features that an upstream ignores are refused by the parameter's name. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gonogo_wire import CreateChatCompletionRequest, CreateCompletionRequest, CreateEmbeddingRequest

from gonogo_server.errors import BadRequest
from gonogo_server.repair import used_parameters as used
from gonogo_server.repair.table.row import Does

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo_server.repair.base import Document, Operation
    from gonogo_server.repair.used_parameters import Asks

HUGE: Final = 1_000_000
"""More tokens than any current context has."""

_CHAT: Final[tuple[Operation, ...]] = ("chat",)
_COMPLETION: Final[tuple[Operation, ...]] = ("completion",)
_EMBEDDING: Final[tuple[Operation, ...]] = ("embedding",)
_TEXT: Final[tuple[Operation, ...]] = ("chat", "completion")
_ALL: Final[tuple[Operation, ...]] = ("chat", "completion", "embedding")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A feature that can be requested: `asks` returns the name of the parameter that does so, or None."""

    does: Does
    operations: tuple[Operation, ...]
    asks: Asks
    subject: str
    """The unsupported feature, as the subject of a sentence with its verb."""
    blamed: bool = True
    """Whether it may be the distinguishing feature of a request that an upstream failed at."""
    advice: str = "Remove it."
    """The advice to the client."""


REFUSALS: Final = (
    Refusal(Does.REFUSE_NUL, _ALL, used.anywhere(lambda text: "\0" in text), "A NUL character is"),
    Refusal(
        Does.REFUSE_HALF_PAIRS,
        _ALL,
        used.anywhere(lambda text: any("\ud800" <= character <= "\udfff" for character in text)),
        "An unpaired surrogate is",
    ),
    Refusal(
        Does.REFUSE_PICTURES,
        _CHAT,
        used.message(used.first(used.has_other_parts)),
        "Content other than text is",
    ),
    Refusal(
        Does.REFUSE_CUT_ARGUMENTS,
        _CHAT,
        used.message(used.first(used.has_cut_arguments)),
        "A tool call whose arguments are not a JSON object is",
    ),
    Refusal(Does.REFUSE_ORPHANS, _CHAT, used.message(used.orphan), ("A tool result without a tool call is")),
    Refusal(
        Does.REFUSE_LATE_SYSTEM,
        _CHAT,
        used.message(used.late_system),
        "A system message after the first message is",
    ),
    Refusal(
        Does.REFUSE_HISTORY,
        _CHAT,
        used.message(used.first(lambda message: message.get("role") == "assistant")),
        "An assistant message is",
        blamed=False,
    ),
    Refusal(
        Does.REFUSE_SILENT_TURNS,
        _CHAT,
        used.message(used.first(used.is_silent)),
        "An empty assistant message is",
    ),
    Refusal(
        Does.REFUSE_ORDER,
        _CHAT,
        used.message(used.unusual),
        "An empty message, or one in an unusual order, is",
    ),
    Refusal(
        Does.REFUSE_TURNS,
        _CHAT,
        used.message(used.same_speaker),
        "A second message of the same role in a row is",
    ),
    Refusal(Does.REFUSE_TOKENS, _COMPLETION, used.in_tokens("prompt"), "A prompt in tokens is"),
    Refusal(Does.REFUSE_PROMPT_LISTS, _COMPLETION, used.several("prompt"), "A list of prompts is"),
    Refusal(Does.REFUSE_INPUT_TOKENS, _EMBEDDING, used.in_tokens("input"), "An input in tokens is"),
    Refusal(
        Does.REFUSE_EMBEDDINGS,
        _EMBEDDING,
        used.given("input"),
        "An embedding is",
        blamed=False,
        advice="Use another provider.",
    ),
    Refusal(Does.REFUSE_SUFFIX, _COMPLETION, used.given("suffix"), "'suffix' is"),
    Refusal(Does.REFUSE_ECHO_LOGPROBS, _COMPLETION, used.echo_logprobs, "'echo' with 'logprobs' is"),
    Refusal(
        Does.ECHO,
        _COMPLETION,
        used.echo_beyond_text,
        "'echo' of anything but the text of a prompt is",
        blamed=False,
    ),
    Refusal(Does.REFUSE_ECHO, _COMPLETION, used.given("echo"), "'echo' is"),
    Refusal(Does.REFUSE_NEGATIVE_SEED, _TEXT, used.negative_seed, "A 'seed' below 0 is"),
    Refusal(Does.REFUSE_BIAS, _TEXT, used.given("logit_bias"), "'logit_bias' is"),
    Refusal(
        Does.REFUSE_PENALTIES, _TEXT, used.given("presence_penalty", "frequency_penalty"), "A penalty is"
    ),
    Refusal(
        Does.REFUSE_DEFINITIONS,
        _CHAT,
        used.definitions,
        "A 'response_format' whose schema has definitions is",
    ),
    Refusal(
        Does.REFUSE_PATTERN,
        _CHAT,
        used.pattern,
        "A 'response_format' whose schema has a pattern is",
    ),
    Refusal(
        Does.REFUSE_SCHEMA,
        _CHAT,
        used.response_format("json_schema"),
        "The 'response_format' json_schema is",
    ),
    Refusal(
        Does.REFUSE_OBJECT,
        _CHAT,
        used.response_format("json_object"),
        "The 'response_format' json_object is",
    ),
    Refusal(
        Does.REFUSE_REQUIRED,
        _CHAT,
        used.tool_choice(lambda choice: choice == "required"),
        "The 'tool_choice' required is",
    ),
    Refusal(
        Does.REFUSE_NAMED,
        _CHAT,
        used.tool_choice(lambda choice: isinstance(choice, dict)),
        "A 'tool_choice' by name is",
    ),
    Refusal(
        Does.REFUSE_MALFORMED, _CHAT, used.malformed_tools, ("A tool whose parameters are not a schema is")
    ),
    Refusal(Does.REFUSE_STRICT, _CHAT, used.strict_tools, "A strict tool is"),
    Refusal(Does.REFUSE_PARALLEL, _CHAT, used.parallel_calls, "'parallel_tool_calls' false is"),
    Refusal(Does.REFUSE_TOOLS, _CHAT, used.given("tools"), "'tools' is"),
    Refusal(Does.REFUSE_FUNCTIONS, _CHAT, used.given("functions", "function_call"), "'functions' is"),
    Refusal(Does.REFUSE_LOGPROBS, _CHAT, used.given("logprobs"), "'logprobs' is"),
    Refusal(Does.REFUSE_COMPLETION_LOGPROBS, _COMPLETION, used.other("logprobs"), "'logprobs' is"),
    Refusal(Does.REFUSE_DIMENSIONS, _EMBEDDING, used.other("dimensions"), "'dimensions' is"),
    Refusal(Does.REFUSE_EFFORT, _CHAT, used.other("reasoning_effort"), "'reasoning_effort' is"),
    Refusal(Does.REFUSE_BEST_OF, _COMPLETION, used.best_of, "'best_of' is"),
    Refusal(
        Does.REFUSE_TEMPERATURE,
        _TEXT,
        used.other("temperature", 0, 1),
        "A 'temperature' other than 0 and 1 is",
    ),
    Refusal(Does.REFUSE_TOP_P, _TEXT, used.other("top_p", 1), "'top_p' is"),
    Refusal(
        Does.REFUSE_HUGE_LIMIT,
        _TEXT,
        used.limit(lambda limit: limit > HUGE),
        f"A limit of more than {HUGE} tokens is",
    ),
    Refusal(Does.REFUSE_ZERO_LIMIT, _TEXT, used.limit(lambda limit: limit == 0), "A limit of 0 tokens is"),
    Refusal(Does.REFUSE_LIMITS, _CHAT, used.limit(lambda _: True), "A limit of tokens is", blamed=False),
    Refusal(
        Does.REFUSE_COMPLETION_LIMITS,
        _COMPLETION,
        used.limit(lambda _: True),
        "A limit of tokens is",
        blamed=False,
    ),
    Refusal(Does.REFUSE_USAGE, _TEXT, used.counted, "'include_usage' is", blamed=False),
    Refusal(
        Does.REFUSE_UNKNOWN,
        _CHAT,
        used.unknown(CreateChatCompletionRequest.model_fields),
        "This field is",
        blamed=False,
    ),
    Refusal(
        Does.REFUSE_UNKNOWN,
        _COMPLETION,
        used.unknown(CreateCompletionRequest.model_fields),
        "This field is",
        blamed=False,
    ),
    Refusal(
        Does.REFUSE_UNKNOWN,
        _EMBEDDING,
        used.unknown(CreateEmbeddingRequest.model_fields),
        "This field is",
        blamed=False,
    ),
)
"""The first match is reported, so specific ones come first."""


def find(document: Document, operation: Operation, broken: Mapping[Does, str]) -> BadRequest | None:
    """The error for the first requested feature that the upstream lacks.

    `broken` has the broken rule of each refused feature.
    """
    for refusal in REFUSALS:
        rule = broken.get(refusal.does)
        if rule is None or operation not in refusal.operations:
            continue
        param = refusal.asks(document)
        if param is not None:
            return _error(refusal, rule, param)
    return None


def apart(document: Document, operation: Operation) -> Does | None:
    """The distinguishing feature of a request that an upstream failed at; None if it has no known one."""
    return next(
        (
            refusal.does
            for refusal in REFUSALS
            if refusal.blamed and operation in refusal.operations and refusal.asks(document) is not None
        ),
        None,
    )


def subject(does: Does) -> str:
    """The refused feature, as the beginning of a sentence."""
    return next(refusal.subject for refusal in REFUSALS if refusal.does is does)


def _error(refusal: Refusal, rule: str, param: str) -> BadRequest:
    return BadRequest(
        f"{refusal.subject} not supported by this provider: its server breaks the rule {rule}. {refusal.advice}",
        param=param,
        code="unsupported_parameter",
    )
