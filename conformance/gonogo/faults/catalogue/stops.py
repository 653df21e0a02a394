"""Faults of stop sequences: texts that end too late, too early, or with another finish reason."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gonogo.faults.editing import answer, both, changed, each, finishes, frames, made, put, refused
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import asked
from gonogo.judge.checks.counts import text
from gonogo.stimuli.stopping import BETWEEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Change, Edit

    # Compute the returned text from the whole greedy text, the text before the stop sequence, and the sequence.
    Say = Callable[[str, str, str], str]

CHAT = 'POST /chat/completions {"max_tokens":24,"temperature":0}'
CHAT_STREAM = 'POST /chat/completions {"max_tokens":24,"stream":true,"temperature":0}'
COMPLETION = 'POST /completions {"max_tokens":24,"temperature":0}'
COMPLETION_STREAM = 'POST /completions {"max_tokens":24,"stream":true,"temperature":0}'
WITHIN = " stopped within its text"
LISTED = CHAT + " stopped where the last of a list comes first"
HELD = CHAT_STREAM + " stopped by what its end begins"


def saying(new: str) -> Edit:
    """The answer with this text, in one chunk if it is a stream."""

    def edit(exchange: Exchange) -> Exchange:
        change = _streamed(new) if exchange.media_type == "text/event-stream" else answer(_whole(new))
        return change(exchange)

    return edit


def _whole(new: str) -> Callable[[Any], None]:
    def edit(value: Any) -> None:  # noqa: ANN401 - JSON
        choice = value["choices"][0]
        holder, name = (choice["message"], "content") if "message" in choice else (choice, "text")
        holder[name] = new

    return edit


def _streamed(new: str) -> Edit:
    def edit(old: list[bytes]) -> list[bytes]:
        texts = [number for number, frame in enumerate(old) if _text_of(frame)]
        first = json.loads(old[texts[0]].removeprefix(b"data: "))
        choice = first["choices"][0]
        holder, name = (choice["delta"], "content") if "delta" in choice else (choice, "text")
        holder[name] = new
        frame = b"data: " + json.dumps(first, ensure_ascii=False).encode() + b"\n\n"
        return [frame if n == texts[0] else part for n, part in enumerate(old) if n not in texts[1:]]

    return frames(edit)


def _text_of(frame: bytes) -> str | None:
    if b"[DONE]" in frame:
        return None
    (choice,) = json.loads(frame.removeprefix(b"data: "))["choices"] or [{}]
    found: str | None = choice.get("delta", choice).get("content") or choice.get("text")
    return found


def ending(key: str, baseline: str, say: Say) -> Change:
    """Replace the text of the answer with that key by one computed from the greedy text of the baseline."""

    def change(record: Record) -> Record:
        by_key = {exchange.stimulus: exchange for exchange in record.exchanges}
        whole, cut = text(by_key[baseline]), by_key[key]
        given = cut.request.json
        assert isinstance(given, dict)
        stops = [given["stop"]] if isinstance(given["stop"], str) else given["stop"]
        stop = min((stop for stop in stops if stop in whole), key=whole.index)
        new = saying(say(whole, whole[: whole.index(stop)], stop))(cut)
        assert new != cut
        return replace(record, exchanges=tuple(new if e is cut else e for e in record.exchanges))

    return change


def _ran_on(whole: str, _: str, __: str) -> str:
    return whole


def _cut_out(whole: str, _: str, stop: str) -> str:
    return whole.replace(stop, "", 1)


def _included(_: str, before: str, stop: str) -> str:
    return before + stop


def _leaked(_: str, before: str, stop: str) -> str:
    return before + stop[:-1]


def _short(_: str, before: str, __: str) -> str:
    return before[:-1]


# The forms of a stopped answer: the rules about each, its key, and the greedy text with which it is compared.
_FORMS = (
    ("chat", "chat completion", CHAT + WITHIN, CHAT_STREAM),
    ("stream", "stream", CHAT_STREAM + WITHIN, CHAT_STREAM),
    ("completions", "completion", COMPLETION + WITHIN, COMPLETION_STREAM),
)
_ENDINGS: tuple[tuple[str, str, str, Say], ...] = (
    ("that goes on past its stop", "huggingface/text-generation-inference#1999", "honoured", _ran_on),
    ("that loses its stop and goes on", "mlx_lm.server, where it lies across tokens", "honoured", _cut_out),
    ("that ends with its stop", "jundot/omlx#2386", "excluded", _included),
    ("that ends with most of its stop", "vllm-project/vllm#3574", "not_leaked", _leaked),
    ("that loses a letter before its stop", "a token that is dropped whole", "not_short", _short),
)


def _tokens(most: int) -> Callable[[Any], None]:
    def edit(value: Any) -> None:  # noqa: ANN401 - JSON
        usage = value["usage"]
        usage.update(completion_tokens=most, total_tokens=usage["prompt_tokens"] + most)

    return edit


def _at_the_later(whole: str, before: str, stop: str) -> str:
    """The text up to the later stop sequence in the list: three characters after the first one."""
    after = len(before) + len(stop)
    parts = (whole[start : start + 3] for start in range(after + BETWEEN, len(whole) - 2))
    later = next(part for part in parts if part.strip() == part and whole.index(part) >= after)
    return whole[: whole.index(later)]


FAULTS: tuple[Fault, ...] = (
    *(
        fault(f"a {noun} {name}", imitates, f"stop.{group}.{rule}", ending(key, baseline, say))
        for group, noun, key, baseline in _FORMS
        for name, imitates, rule, say in _ENDINGS
    ),
    *(
        fault(
            f'"length" as the reason of a stopped {noun}',
            "LostRuins/koboldcpp#2481",
            f"stop.{group}.finish_reason",
            changed(asked(key), edit),
        )
        for group, noun, key, edit in (
            ("chat", "chat completion", CHAT + WITHIN, answer(put("choices.0.finish_reason", "length"))),
            (
                "stream",
                "stream",
                CHAT_STREAM + WITHIN,
                each(put("choices.0.finish_reason", "length"), where=finishes),
            ),
            (
                "completions",
                "completion",
                COMPLETION + WITHIN,
                answer(put("choices.0.finish_reason", "length")),
            ),
        )
    ),
    fault(
        "tokens after the stop are charged",
        "a text that is generated whole and cut",
        "stop.chat.usage",
        changed(asked(CHAT + WITHIN), answer(_tokens(25))),
    ),
    fault(
        "the end of a stream is held back for good",
        "a filter of stop sequences that is never flushed",
        "stop.stream.released",
        changed(asked(HELD), lambda exchange: saying(text(exchange)[:-2])(exchange)),
    ),
    fault(
        "a list of stops is ignored",
        "ollama/ollama#5545",
        "stop.list.honoured",
        ending(LISTED, CHAT_STREAM, _ran_on),
    ),
    fault(
        "a list of stops is ignored, and the text does not repeat",
        "a text drawn at another temperature, that goes on far past the stop",
        "stop.list.honoured",
        ending(
            LISTED, CHAT_STREAM, lambda _, before, stop: f"Well, {before}{stop} and so on until the limit"
        ),
    ),
    fault(
        "a stop of a list stays in the text that it ended",
        "transformers serve",
        "stop.list.excluded",
        ending(LISTED, CHAT_STREAM, _included),
    ),
    fault(
        "the stop that is listed first wins",
        "a loop over the list, not over the text",
        ("stop.list.earliest", "stop.list.excluded"),
        ending(LISTED, CHAT_STREAM, _at_the_later),
    ),
    fault(
        "a streamed completion that goes on past its stop",
        "mzau/mlx-knife#68",
        "stop.completions.stream",
        ending(COMPLETION_STREAM + WITHIN, COMPLETION_STREAM, _ran_on),
    ),
    fault(
        "a streamed completion that leaks half its stop",
        "mzau/mlx-knife#68",
        "stop.completions.stream",
        ending(COMPLETION_STREAM + WITHIN, COMPLETION_STREAM, _leaked),
    ),
    fault(
        '"length" as the reason of a stopped stream of a completion',
        "LostRuins/koboldcpp#2481",
        "stop.completions.stream_finish_reason",
        changed(
            asked(COMPLETION_STREAM + WITHIN), each(put("choices.0.finish_reason", "length"), where=finishes)
        ),
    ),
)

# Answers that keep the contract, or refuse the feature by name.
HARMLESS: dict[str, Change] = {
    "spaces trimmed at the end of a stopped text": changed(
        asked(CHAT + WITHIN), answer(made("choices.0.message.content", lambda old: old + " "))
    ),
    "another greedy text with a stop": changed(asked(CHAT + WITHIN, CHAT_STREAM + WITHIN), saying("Else.")),
    "stops that are refused": both(
        changed(asked(CHAT + WITHIN, CHAT_STREAM + WITHIN, LISTED, HELD), refused(400)),
        changed(asked(COMPLETION + WITHIN, COMPLETION_STREAM + WITHIN), refused(400)),
    ),
}
