"""Faults of sampling parameters: refused without a name, ignored, or accepted beyond their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo.exchange import FailureKind
from gonogo.faults.catalogue.chat_response import LIMITED
from gonogo.faults.catalogue.limits import UNFIT
from gonogo.faults.catalogue.stops import saying
from gonogo.faults.editing import answer, answered, both, changed, made, put, refused, silent, status
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import asked, but, either
from gonogo.faults.rule_picks import every, first, keys, last
from gonogo.judge.checks.counts import text
from gonogo.rules import load
from gonogo.stimuli.phrases import Ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gonogo.evidence import Record
    from gonogo.faults.editing import Change, Edit
    from gonogo.faults.picks import Pick

_STIMULI = {
    scenario.rule.id: look.stimulus.key
    for scenario in load()
    if scenario.rule.id.startswith("sampling.") and isinstance(look := scenario.looks[-1], Ask)
}
GREEDY = 'POST /chat/completions {"max_tokens":24,"temperature":0}'
GREEDY_AGAIN = 'POST /chat/completions {"max_tokens":24,"stream":true,"temperature":0} #2'


def _pick(rule: str) -> Pick:
    """The last exchange that the rule reads."""
    return asked(_STIMULI[f"sampling.{rule}"])


def _of(group: str) -> Iterator[tuple[str, str]]:
    """The last part of the id of each rule of a group, with the key of its request."""
    return ((rule.removeprefix(group), key) for rule, key in _STIMULI.items() if rule.startswith(group))


def _rewritten(make: Callable[[str], str]) -> Edit:
    return lambda exchange: saying(make(text(exchange)))(exchange)


def _unbiased(record: Record) -> Record:
    """The biased text begins like the greedy one."""
    greedy = next(exchange for exchange in record.exchanges if exchange.stimulus == GREEDY)
    return changed(_pick("effect.logit_bias"), saying(text(greedy)[:3]))(record)


def _counted(usage: dict[str, int], tokens: int) -> dict[str, int]:
    return usage | {"completion_tokens": tokens, "total_tokens": usage["prompt_tokens"] + tokens}


COOL, MEASURED = first("sampling.effect.temperature"), last("sampling.effect.temperature")
HOT = but(every("sampling.effect.temperature"), either(COOL, MEASURED))
_TALE = (
    "In the deepest forest of the north lives the glimmerback, a creature with the body of a badger and the wings of a "
    "moth, which sings only when it snows, and whose shadow walks a little ahead of it"
)


def _cooled(record: Record) -> Record:
    """The text at a high temperature equals the greedy one."""
    greedy = next(exchange for exchange in record.exchanges if COOL(exchange))
    return changed(HOT, saying(text(greedy)))(record)


def _undecided(value: Any) -> None:  # noqa: ANN401 - JSON
    """At each position another token is as likely as the chosen one."""
    for entry in value["choices"][0]["logprobs"]["content"]:
        entry["logprob"] = -1.0
        entry["top_logprobs"] = [
            entry | {"top_logprobs": []},
            {"token": "z", "logprob": -1.0, "bytes": [122]},
        ]
        del entry["top_logprobs"][0]["top_logprobs"]


# The parameter that is refused without being named, and the server that did so.
_NAMELESS = (
    ("a temperature of 2 is refused without its name", "a limit of 1 elsewhere", "temperature"),
    ("a top_p is refused without its name", "extra fields forbidden", "top_p"),
    ("penalties are refused without their name", "extra fields forbidden", "penalties"),
    ("a seed below 0 is refused without its name", "an unsigned number", "seed"),
    ("a map of biases is refused without its name", "ggml-org/llama.cpp PR#14946", "logit_bias"),
    ("a reasoning effort of none is refused without its name", "extra fields forbidden", "reasoning_effort"),
)


def _nameless() -> Iterator[Fault]:
    for name, imitates, rule in _NAMELESS:
        change = changed(_pick(f"accepted.{rule}"), refused(400))
        yield fault(name, imitates, f"sampling.accepted.{rule}", change)


def _beyond() -> Iterator[Fault]:
    """The answers of servers that do not validate, for every value beyond the limits."""
    for name, key in _of("sampling.refused."):
        rule, pick, words = f"sampling.refused.{name}", asked(key), name.replace("_", " ")
        yield fault(
            f"{words} in sampling: answered all the same",
            "what is out of range is ignored or clamped (Arthur-Ficial/apfel#235)",
            rule,
            changed(pick, answered({"choices": []})),
        )
        yield fault(
            f"{words} in sampling: a server error",
            "unguarded code (raullenchai/Rapid-MLX PR#740)",
            f"sampling.harmless.{name}",
            changed(pick, refused(500)),
        )
        yield fault(
            f"{words} in sampling: a dropped connection",
            "a worker that ends (raullenchai/Rapid-MLX PR#740)",
            f"sampling.harmless.{name}",
            changed(pick, silent(FailureKind.RESET)),
        )


def _unnamed() -> Iterator[Fault]:
    for name, key in _of("sampling.named."):
        rule, pick, words = f"sampling.named.{name}", asked(key), name.replace("_", " ")
        yield fault(
            f"{words} in sampling: null as param",
            "a param that was not thought of",
            rule,
            changed(pick, answer(put("error.param", None))),
        )
        yield fault(
            f"{words} in sampling: 422",
            "FastAPI's own status for it (ray-project/ray#64833)",
            rule,
            changed(pick, status(422)),
        )


FAULTS: tuple[Fault, ...] = (
    *_nameless(),
    *_beyond(),
    *_unnamed(),
    fault(
        "full notes are refused",
        "livekit/agents#1274, voideditor/void#128",
        "sampling.accepted.bookkeeping",
        changed(_pick("accepted.bookkeeping"), refused(400)),
    ),
    fault(
        "a seed below 0 fails the server",
        "a generator that takes no negative number",
        "http.no_server_error",
        changed(_pick("accepted.seed"), refused(500)),
    ),
    fault(
        "a forced token is not generated",
        "sgl-project/sglang#6171, BerriAI/litellm#7793",
        "sampling.effect.logit_bias",
        _unbiased,
    ),
    fault(
        "a nucleus of one token is ignored",
        '"if 0 < top_p < 1" in a branch that is not reached',
        "sampling.effect.top_p",
        changed(_pick("effect.top_p"), _rewritten(str.swapcase)),
    ),
    fault(
        "the temperature is ignored",
        "transformers serve, where its model's settings do not sample; this one refuses log probabilities",
        "sampling.effect.temperature",
        both(changed(either(COOL, HOT), saying(_TALE)), changed(MEASURED, refused(400))),
    ),
    fault(
        "the temperature is ignored, of which log probabilities show that chance would not do so",
        "a field that is read and not passed on",
        "sampling.effect.temperature",
        both(_cooled, changed(MEASURED, answer(_undecided))),
    ),
    fault(
        "no log probabilities beside a stop sequence",
        "a list that is made at the limit only",
        "logprobs.chat.stopped",
        changed(MEASURED, answer(put("choices.0.logprobs", None))),
    ),
    fault(
        "the list of log probabilities is cut shorter than the text",
        "as many entries cut off as the sequence has characters",
        "logprobs.chat.stopped",
        changed(MEASURED, answer(made("choices.0.logprobs.content", lambda old: old[:2]))),
    ),
    fault(
        "the older of two limits counts",
        "abetlen/llama-cpp-python#1907",
        "sampling.effect.both_limits",
        changed(
            _pick("effect.both_limits"),
            answer(made("usage", lambda usage: _counted(usage, 8))),
        ),
    ),
    fault(
        "no token limit of a chat is read",
        "an old server, whose limit had another name; the text comes to its own end",
        ("chat.limit.max_tokens", "chat.limit.max_completion_tokens"),
        changed(
            either(LIMITED, _pick("effect.both_limits")),
            answer(put("choices.0.finish_reason", "stop"), made("usage", lambda usage: _counted(usage, 14))),
        ),
    ),
    fault(
        "the same seed gives two texts",
        "sgl-project/sglang#15746, InternLM/lmdeploy PR#2353",
        "sampling.repeats.seed",
        changed(_pick("repeats.seed"), _rewritten(str.swapcase)),
    ),
    fault(
        "greedy text that does not repeat",
        "another batch, other last digits",
        "sampling.repeats.greedy",
        changed(asked(GREEDY_AGAIN), _rewritten(str.swapcase)),
    ),
)

HARMLESS: Mapping[str, Change] = {
    "hot texts of a model that is sure of each of its words": _cooled,
    "hot texts that are short, from a model of which nobody knows how sure it was": both(
        _cooled, changed(MEASURED, refused(400))
    ),
    "one hot text of two that is the greedy one": changed(
        asked(keys("sampling.effect.temperature")[1]), saying(_TALE)
    ),
    "log probabilities beside a stop sequence that are refused": changed(MEASURED, refused(400)),
    "log probabilities without the token that a stop sequence begins in": changed(
        MEASURED, answer(made("choices.0.logprobs.content", lambda old: old[:-1]))
    ),
} | {
    f"{rule}: the model is refused, which generates nothing whatever is asked": changed(
        _pick(f"accepted.{rule}"), answered(UNFIT, 400)
    )
    for rule in ("temperature", "top_p", "penalties", "seed", "logit_bias")
}
