"""A row of the tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """How a broken rule is handled; the value is its name in tables."""

    REPAIRED = "repaired"
    """Repaired in every answer, with or without a report."""
    EMULATED = "emulated"
    """The gateway provides what the upstream lacks."""
    REFUSED = "refused"
    """Requests for it are refused with 400 and the name of the parameter."""
    KEPT = "kept by the gateway"
    """The upstream is not involved: the gateway checks requests and keys, and writes errors and headers."""
    ENDED = "ended in an error"
    """An answer that cannot be repaired is replaced by an error."""
    PASSED_ON = "passed on"
    """Nothing is done; the row gives the reason."""


class Does(StrEnum):
    """What the gateway emulates or refuses, for rows that depend on the report."""

    # ---- requests are edited
    NO_NULLS = "no-nulls"
    NO_DEFAULTS = "no-defaults"
    NO_BOOKKEEPING = "no-bookkeeping"
    DEVELOPER_AS_SYSTEM = "developer-as-system"
    SYSTEM_IN_USER = "system-in-user"
    PARTS_AS_TEXT = "parts-as-text"
    STOP_AS_LIST = "stop-as-list"
    OLD_LIMIT = "old-limit"
    NEW_LIMIT = "new-limit"
    ONE_LIMIT = "one-limit"
    NO_EMPTY_TOOLS = "no-empty-tools"
    NO_STRICT_FALSE = "no-strict-false"
    PARAMETERS_GIVEN = "parameters-given"
    CONTENT_NULL = "content-null"
    CONTENT_EMPTY = "content-empty"
    CALLS_ALONE = "calls-alone"
    NO_NAMES = "no-names"
    SMALL_TEMPERATURE = "small-temperature"
    NO_TOOLS_FOR_NONE = "no-tools-for-none"
    NO_TEXT_FORMAT = "no-text-format"
    NO_USER = "no-user"
    # ---- answers are made from other answers
    CHOICES = "choices"
    PROMPTS = "prompts"
    INPUTS = "inputs"
    STOP = "stop"
    STOP_SENT = "stop-sent"
    STOP_IN_STREAMS = "stop-in-streams"
    ECHO = "echo"
    ALTERNATIVES = "alternatives"
    NO_ZERO_ALTERNATIVES = "no-zero-alternatives"
    LENGTH = "length"
    NO_PADDING = "no-padding"
    BASE64 = "base64"
    CHAT_WHOLE = "chat-whole"
    CHAT_CALLS_WHOLE = "chat-calls-whole"
    CHAT_USAGE_WHOLE = "chat-usage-whole"
    COMPLETION_WHOLE = "completion-whole"
    COMPLETION_USAGE_WHOLE = "completion-usage-whole"
    CHAT_STREAMED = "chat-streamed"
    COMPLETION_STREAMED = "completion-streamed"
    TRANSLATE_RESPONSES = "translate-responses"
    TRANSLATE_MESSAGES = "translate-messages"
    TOO_LONG = "too-long"
    LISTED_ALONE = "listed-alone"
    LISTED_IN_REPORT = "listed-in-report"
    RETRIEVED_FROM_LIST = "retrieved-from-list"
    # ---- requests are refused
    REFUSE_PICTURES = "refuse-pictures"
    REFUSE_NUL = "refuse-nul"
    REFUSE_HALF_PAIRS = "refuse-half-pairs"
    REFUSE_LATE_SYSTEM = "refuse-late-system"
    REFUSE_TURNS = "refuse-turns"
    REFUSE_ORDER = "refuse-order"
    REFUSE_ORPHANS = "refuse-orphans"
    REFUSE_HISTORY = "refuse-history"
    REFUSE_SILENT_TURNS = "refuse-silent-turns"
    REFUSE_LIMITS = "refuse-limits"
    REFUSE_COMPLETION_LIMITS = "refuse-completion-limits"
    REFUSE_ZERO_LIMIT = "refuse-zero-limit"
    REFUSE_HUGE_LIMIT = "refuse-huge-limit"
    REFUSE_USAGE = "refuse-usage"
    REFUSE_BEST_OF = "refuse-best-of"
    REFUSE_TOKENS = "refuse-tokens"
    REFUSE_PROMPT_LISTS = "refuse-prompt-lists"
    REFUSE_ECHO = "refuse-echo"
    REFUSE_ECHO_LOGPROBS = "refuse-echo-logprobs"
    REFUSE_SUFFIX = "refuse-suffix"
    REFUSE_INPUT_TOKENS = "refuse-input-tokens"
    REFUSE_EMBEDDINGS = "refuse-embeddings"
    REFUSE_DIMENSIONS = "refuse-dimensions"
    REFUSE_LOGPROBS = "refuse-logprobs"
    REFUSE_COMPLETION_LOGPROBS = "refuse-completion-logprobs"
    REFUSE_TEMPERATURE = "refuse-temperature"
    REFUSE_TOP_P = "refuse-top-p"
    REFUSE_PENALTIES = "refuse-penalties"
    REFUSE_NEGATIVE_SEED = "refuse-negative-seed"
    REFUSE_BIAS = "refuse-bias"
    REFUSE_EFFORT = "refuse-effort"
    REFUSE_SCHEMA = "refuse-schema"
    REFUSE_DEFINITIONS = "refuse-definitions"
    REFUSE_PATTERN = "refuse-pattern"
    REFUSE_OBJECT = "refuse-object"
    REFUSE_REQUIRED = "refuse-required"
    REFUSE_NAMED = "refuse-named"
    REFUSE_PARALLEL = "refuse-parallel"
    REFUSE_MALFORMED = "refuse-malformed"
    REFUSE_STRICT = "refuse-strict"
    REFUSE_TOOLS = "refuse-tools"
    REFUSE_CUT_ARGUMENTS = "refuse-cut-arguments"
    REFUSE_UNKNOWN = "refuse-unknown"
    REFUSE_FUNCTIONS = "refuse-functions"


@dataclass(frozen=True, slots=True)
class Row:
    """How rules are handled. Of several rows that match a broken rule, the first of the most specific ones applies."""

    rules: tuple[str, ...]
    """Ids of rules, or prefixes that end with a dot."""
    action: Action
    what: str
    """One sentence for users."""
    does: tuple[Does, ...] = ()
    cause: str | None = None
    """The row applies if the report names this cause."""
    kept: str | None = None
    """The row applies if the upstream passes this rule."""
    failed_only: bool = False
    """Whether the row applies only to rules that fail, not to those that warn."""
    refused_too: bool = False
    """Whether the row also applies if the upstream refuses the feature."""

    def covers(self, rule: str) -> int:
        """The length of the row's match with a rule id; 0 if the row is not about that rule."""
        return max(
            (
                len(name)
                for name in self.rules
                if rule == name or (name.endswith(".") and rule.startswith(name))
            ),
            default=0,
        )
