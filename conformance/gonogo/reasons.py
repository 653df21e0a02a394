"""The reasons why a rule was not decided or not supported: a code and a sentence for each.

A template has names in braces for the values that a report fills in. No template and no value names an exchange:
exchanges have a separate field, so that text from a target is never searched or rewritten.
"""

from __future__ import annotations

from enum import StrEnum
from string import Formatter
from typing import Self


class Reason(StrEnum):
    """A code for programs; `template` is its sentence without the full stop, for `str.format`."""

    template: str

    def __new__(cls, code: str, template: str) -> Self:
        """The code is the value; the template is an attribute."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.template = template
        return member

    @property
    def names(self) -> frozenset[str]:
        """The names of the values in the template."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.template) if name is not None)

    # ---- no observation --------------------------------------------------------------------------------------
    NOTHING_SEEN = "nothing-seen", "nothing to judge: no {what} was recorded"
    NOTHING_RECORDED = "nothing-recorded", "no such exchange was recorded"
    NOT_RECORDED = "not-recorded", "the evidence does not contain this request; run the check again"
    CHECK_BROKE = "check-broke", "internal error while checking these answers: {error} ({where})"
    NOT_INSTALLED = "not-installed", "{told}"
    NOT_RUN = "not-run", "not run: {why}"
    NOT_OF_CLIENT = "not-of-client", "{client} does not send such requests"

    # ---- the request was not sent ----------------------------------------------------------------------------
    NOT_SENT = "not-sent", "{told}"
    NO_EMBEDDING_MODEL = (
        "no-embedding-model",
        ("no embedding model is known; give one with --embedding-model"),
    )
    NEED_MISSING = "need-missing", "the answer to {key}, which this request needs, is missing"
    FEWER_MODELS = "fewer-models", "the model list has no other model to retrieve"
    NO_SLASH = "no-slash", 'no model has a "/" in its id'
    NO_FIT_STOP = "no-fit-stop", 'no part of the text "{text}" is suitable as a stop sequence'
    ALL_REASONING = (
        "all-reasoning",
        ("all tokens went into reasoning; turn it off with --extra-body if possible"),
    )
    CONTEXT_NOT_LISTED = (
        "context-not-listed",
        (
            "the context length is unknown: neither the model list nor an error states it; give it "
            "with --context-length"
        ),
    )
    CONTEXT_TOO_LONG = (
        "context-too-long",
        "the context of {length} tokens is too long to fill; gonogo fills up to {most}",
    )
    TARGET_LOST = (
        "target-lost",
        ("not sent: the target stopped answering after an earlier request; restart it and add --resume"),
    )
    TARGET_LOST_AFTER_SEVERAL = (
        "target-lost-after-several",
        (
            "not sent: the target stopped answering after {number} parallel requests (--concurrency 1 "
            "identifies the one that caused it); restart it and add --resume"
        ),
    )
    TARGET_LOST_BEFORE = (
        "target-lost-before",
        (
            "not sent: the target stopped answering; it had already refused requests with 503, so an "
            "earlier request may be the cause; restart it and add --resume"
        ),
    )
    TARGET_GONE = (
        "target-gone",
        "not sent: the target is no longer reachable; restart it and add --resume",
    )
    INTERRUPTED = "interrupted", "the run was interrupted before this was answered; continue with --resume"
    OUT_OF_TIME = (
        "out-of-time",
        ("the run reached --max-seconds before this was answered; continue with --resume"),
    )
    OUT_OF_ROOM = (
        "out-of-room",
        "the run reached --max-bytes before this was answered; continue with --resume",
    )
    ENOUGH_BROKEN = (
        "enough-broken",
        "not sent: {number} must rules were already broken (--max-failures); continue with --resume",
    )
    NO_SECOND_PROVIDER = (
        "no-second-provider",
        "the gateway does not list the model gonogo-second, so it has no second provider to compare with",
    )
    BUDGET_USED_UP = "budget-used-up", "the --fuzz-budget was used up before the first generated case"

    # ---- the request was not answered, or for another reason than the rule's ---------------------------------
    NOT_WHOLE = "not-whole", "the answer was incomplete: {failure}"
    NO_ANSWER = "no-answer", "the request was not answered: {failure}"
    TIMED_OUT = "timed-out", "the request timed out: {failure}"
    UNAUTHORIZED = "unauthorized", "the target answered {status}: set GONOGO_API_KEY to a valid key"
    BUSY = (
        "busy",
        "the target was busy and answered {status}; lower --concurrency",
    )
    SERVER_ERROR = "server-error", "the target answered {status}, which is reported by another rule"
    OTHER_STATUS = "other-status", "the target answered {status}"
    NOT_REFUSED = "not-refused", "the target did not refuse the request, but answered {status}"
    MAY_BE_UNDER_WAY = "may-be-under-way", "the target may have accepted the invalid request"
    NOT_405 = "not-405", "the target did not refuse the method with 405, but answered {status}"
    REFUSED_FOR_OTHER = (
        "refused-for-other",
        "the target refused the request because of {param}, so the rest is unknown",
    )
    PLAIN_REFUSED = "plain-refused", "the plain request failed as well: {ending}"
    WRONG_KIND = "wrong-kind", "the answer is not {kind}"
    ALIVE_BUSY = "alive-busy", "the target answered {ending}, which does not show that it stopped"
    ALIVE_SLOW = (
        "alive-slow",
        (
            "the plain request afterwards ended with {ending}, like others before it, so no single "
            "request can be blamed; lower --concurrency"
        ),
    )

    # ---- the target refuses the feature ----------------------------------------------------------------------
    REFUSED = "refused", "the target refuses this with {status}"
    REFUSED_BY_NAME = "refused-by-name", "the target refuses the parameter by name with {status}"
    REFUSED_PLAIN = "refused-plain", "the target also refuses the plain form, with {status}"
    REFUSED_BY_MODEL = "refused-by-model", ("the target says that the model does not support this ({status})")
    UNSUPPORTED_BY_MODEL = (
        "unsupported-by-model",
        "the target says that the model does not support {param} ({status})",
    )
    NO_SUCH_OPERATION = "no-such-operation", "the target has no {operation} ({status})"
    NO_KEY_NEEDED = "no-key-needed", "the target does not require a key (it answered {status} without one)"
    ANY_KEY_TAKEN = "any-key-taken", ("the target does not verify keys (it answered {status} to a wrong key)")

    # ---- the body cannot be read -----------------------------------------------------------------------------
    NO_DATE = "no-date", "the answer has no Date header to compare with"
    CLOCKS_DIFFER = (
        "clocks-differ",
        "the clocks of the target and of this machine differ by {seconds} seconds, so one of them is wrong",
    )
    NOT_WATCHED = "not-watched", "the connection was not observed after the answer"
    NOT_JSON = "not-json", "the body is not JSON"
    NOT_AN_OBJECT = "not-an-object", "the body is not a JSON object"
    NOT_UTF8 = "not-utf-8", "the body is not UTF-8"
    NO_BODY = "no-body", "the body is empty"
    NO_JSON = "no-json", "the answer contains no JSON"
    TOO_DEEP = "too-deep", "the JSON is nested too deeply to be read"
    NOT_VALIDATED = "not-validated", "the JSON cannot be validated against {component}: {error}"
    FIELD_NOT = "field-not", '"{field}" is not {kind}'
    NO_ERROR_OBJECT = "no-error-object", "the refusal has no error object"
    NO_ERROR_MESSAGE = "no-error-message", "the error object has no message"

    # ---- arrival of text -------------------------------------------------------------------------------------
    SHORT_TEXT = "short-text", "the text has only {words} words, which may arrive at once"
    SOON = "soon", "the whole text arrived after {seconds} s, too early to tell whether it was buffered"
    SLOW_TO_BEGIN = (
        "slow-to-begin",
        "even a short answer took {seconds} s, so the delay has another cause",
    )

    # ---- streams ---------------------------------------------------------------------------------------------
    NO_EVENTS = "no-events", "the stream has no events"
    NOT_A_STREAM = "not-a-stream", "the answer is JSON, not a stream"
    NO_CHUNKS = "no-chunks", "the stream has no chunk that is a JSON object"
    NO_INDEXED_CHOICE = "no-indexed-choice", "no chunk of the stream has a choice with an index"
    NO_DELTA = "no-delta", "the first chunk of choice {index} has no delta"
    NO_END = "no-end", "no event of the stream ends it"
    NO_DONE = "no-done", 'the stream has no "[DONE]"'
    BROKEN_OFF = "broken-off", "the stream was not read to the end: {failure}"
    ERROR_FRAME = "error-frame", "the stream ended with an error event"
    EVENT_LOST = (
        "event-lost",
        "an event of the stream cannot be parsed and may contain the missing data",
    )

    # ---- text, tokens, choices -------------------------------------------------------------------------------
    NO_TEXT = "no-text", "the answer has no text"
    OTHER_DELTAS = "other-deltas", "the deltas contain {fields} but no text"
    NO_CHOICES = "no-choices", "the answer has no choices"
    NO_MESSAGE = "no-message", "the choice has no message"
    MORE_ASKED = "more-asked", "the request asks for more than one choice"
    FEWER_CHOICES = "fewer-choices", "the answer has {found} of {number} choices"
    NOT_NUMBERED = "not-numbered", "the choices are not numbered from 0"
    NO_FINISH_REASON = "no-finish-reason", "the answer has no finish_reason"
    CUT_OFF = "cut-off", 'the answer was cut off: its finish_reason is "{finish_reason}"'
    LIMIT_PASSED = "limit-passed", "the answer has {found} tokens, so the limit of {limit} did not cut it"
    LIMIT_REACHED = (
        "limit-reached",
        "the chat used all of its {limit} tokens, and says that it stopped by itself",
    )
    MAY_HAVE_ENDED = (
        "may-have-ended",
        "the text ends with a sentence, and may have ended by itself after exactly {found} tokens",
    )
    CHAT_REASONS_DIFFER = "chat-reasons-differ", "the chat ends for another reason whole than streamed"
    LIMIT_NOT_REACHED = "limit-not-reached", "the model stopped after {found} of {limit} tokens"
    NOTHING_MORE_TO_SAY = "nothing-more-to-say", "the model generates no more than {found} tokens"
    LIMIT_NOT_REACHED_BY_ALL = "limit-not-reached-by-all", "not every choice reached its token limit"
    REASONING = "reasoning", "the answer contains reasoning, whose tokens are counted too"
    NO_DETAILS = "no-details", "the usage has no token details"
    NO_USAGE = "no-usage", "the answer has no usage"
    NO_COUNT = "no-count", '"{field}" is not an integer, or is 0'
    CONTEXT_LONGER = (
        "context-longer",
        "the whole prompt was accepted: the context is longer than the model list says",
    )
    NOT_REPEATED = "not-repeated", "the greedy text was not repeatable"
    TOO_SURE = "too-sure", "the model is so certain of its tokens that sampling may always pick them"
    TOO_SHORT = (
        "too-short",
        ("the text has {found} words; with fewer than {needed}, sampling may always pick the same"),
    )
    TEXT_CHANGED = "text-changed", "the greedy text changed between two answers"
    TEXTS_DIFFER = "texts-differ", "the text differs between the stream and the whole answer"
    CUT_EARLIER = "cut-earlier", "one text was cut by its limit where the other goes on"
    TEXTS_OF_SURFACES_DIFFER = "texts-of-surfaces-differ", "the two surfaces give different texts"
    ASKED_FOR_MORE = (
        "asked-for-more",
        "chat was asked with {fields} too, so that the two surfaces were not asked for the same",
    )
    TOO_FEW_TEXTS = "too-few-texts", "only {found} answers contain text; at least {needed} are needed"
    ALL_ASCII = "all-ascii", "the text has no multi-byte character"
    REPLACEMENTS = "replacements", "the whole answer also contains replacement characters"
    ASKS_FOR_HALVES = "asks-for-halves", "the request itself contains half a surrogate pair"
    NOT_STOPPED = "not-stopped", "the text was not stopped"
    STOP_NOT_IN_TEXT = "stop-not-in-text", "no stop sequence is in the greedy text"
    STOP_IN_TEXT = "stop-in-text", "the text contains the whole stop sequence"
    NO_ECHO = "no-echo", "a choice does not begin with the prompt, although echo was requested"
    MAY_STILL_COME = "may-still-come", "a JSON object may still follow this text"

    # ---- tools -----------------------------------------------------------------------------------------------
    NO_CALL = "no-call", "the answer calls no tool"
    NO_REASONING = "no-reasoning", "the output has no reasoning"
    NO_LIMIT = "no-limit", "the request has no limit"
    NO_ITEM = "no-item", "the output has no item of the type {kind}"
    ONE_CALL = "one-call", "the model called one tool only"
    MODEL_REFUSED = "model-refused", "the model refused"
    NO_CALL_FINISHED = "no-call-finished", 'no choice finishes with "tool_calls"'
    OTHER_CALLS = "other-calls", "the stream and the whole answer call different tools"
    SHARED_INDEX = "shared-index", "two calls share the index {index}"
    CALL_WITHOUT_NAME = "call-without-name", "a call has no name"
    NOT_OFFERED = "not-offered", "the answer calls a tool that was not offered"

    # ---- log probabilities -----------------------------------------------------------------------------------
    NO_LOGPROBS = "no-logprobs", "the answer has no log probabilities"
    LOGPROBS_OF_OTHER_FORM = "logprobs-of-other-form", 'the log probabilities have no "{field}"'
    ENTRY_NOT_AN_OBJECT = "entry-not-an-object", "an entry of the log probabilities is not an object"
    TOKENS_NOT_TEXT = "tokens-not-text", "some tokens are not text on their own"
    PROMPT_NOT_COVERED = "prompt-not-covered", "the log probabilities do not cover the prompt"

    # ---- models and embeddings -------------------------------------------------------------------------------
    NO_LIST = "no-list", "the target has no list of models ({status})"
    NO_MODELS = "no-models", "the list has no models"
    NOT_LISTED = "not-listed", "the model {model} is not in the list"
    NO_VECTORS = "no-vectors", "the answer has no readable vectors"
    VECTORS_UNLIKE = "vectors-unlike", "the vectors cannot be compared: {why}"

    # ---- behind a gateway ------------------------------------------------------------------------------------
    UPSTREAM_NOT_ASKED = (
        "upstream-not-asked",
        "the gateway answered {ending} itself, without asking the upstream",
    )
    OVER_BEFORE_LEFT = "over-before-left", "the answer was complete before the client disconnected"
    NO_UPSTREAM_KEY = (
        "no-upstream-key",
        ("the gateway sends the upstream neither of the keys that gonogo gave"),
    )
    NO_CLIENT_KEY = (
        "no-client-key",
        "no client key was given that could reach the upstream; set GONOGO_API_KEY",
    )

    # ---- generated requests ----------------------------------------------------------------------------------
    TOO_FEW_CASES = (
        "too-few-cases",
        (
            "only {found} of {number} generated cases were accepted and at least {needed} are needed; "
            "raise --fuzz-budget"
        ),
    )
    NO_KEY_GIVEN = "no-key-given", "no key was given, or no accepted case could be repeated without it"
    NO_STREAMED_CASE = "no-streamed-case", "no generated case with streaming was accepted"


NOT_APPLICABLE = frozenset(
    {
        Reason.NOT_REFUSED,
        Reason.NOT_405,
        Reason.MAY_BE_UNDER_WAY,
        Reason.MORE_ASKED,
        Reason.LIMIT_PASSED,
        Reason.NOT_STOPPED,
        Reason.NO_LIST,
        Reason.NO_DATE,
        Reason.NOT_WATCHED,
        Reason.SHORT_TEXT,
        Reason.SOON,
        Reason.SLOW_TO_BEGIN,
        Reason.NO_KEY_GIVEN,
        Reason.NOT_OF_CLIENT,
        Reason.NO_CALL_FINISHED,
        Reason.NO_SECOND_PROVIDER,
        Reason.NO_CLIENT_KEY,
        Reason.NO_DETAILS,
        Reason.NO_REASONING,
    }
)
"""Reasons why a rule does not apply: its case did not occur."""

CUT_SHORT = frozenset({Reason.TARGET_GONE, Reason.INTERRUPTED, Reason.OUT_OF_TIME, Reason.OUT_OF_ROOM})
"""Reasons why a run ended before its plan: the missing requests could have changed the result to no-go."""

LOST = frozenset({Reason.TARGET_LOST, Reason.TARGET_LOST_AFTER_SEVERAL, Reason.TARGET_LOST_BEFORE})
"""Reasons about requests that may have stopped the target, not about an answer that was read."""

UNREAD = frozenset(
    {
        Reason.NOT_WHOLE,
        Reason.UNAUTHORIZED,
        Reason.BUSY,
        Reason.SERVER_ERROR,
        Reason.OTHER_STATUS,
        Reason.NOT_REFUSED,
    }
)
"""Reasons about an answer that no check has read."""
