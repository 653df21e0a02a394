"""Faults of the counts of a response: its usage, its limit, and its agreement with chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.faults.catalogue.responses import COUNTED, CUT, PARTS, PLAIN, ROLES, STREAM
from gonogo.faults.editing import answer, both, changed, cut, made, put
from gonogo.faults.fault import Fault, fault
from gonogo.faults.named_events import retold, values, within

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Json, JsonEdit


def _told_completed(holder: str = "") -> tuple[JsonEdit, ...]:
    """A truncated response is reported as completed."""
    return (
        put(f"{holder}status", "completed"),
        put(f"{holder}incomplete_details", None),
        put(f"{holder}output.0.status", "completed"),
    )


def _counted(field: str, more: int) -> JsonEdit:
    """Add to one count of the usage, and to the total."""

    def edit(value: Json) -> None:
        value["usage"][field] += more
        value["usage"]["total_tokens"] += more

    return edit


def counting(field: str, number: int) -> JsonEdit:
    """Set one count of the usage, and change the total accordingly."""

    def edit(value: Json) -> None:
        _counted(field, number - value["usage"][field])(value)

    return edit


def _shouted(exchange: Exchange) -> Exchange:
    """The text is replaced everywhere in the answer."""
    return retold(str.upper)(exchange)


def _failed(old: list[Json]) -> list[Json]:
    """The response fails after its whole text."""
    error = {"code": "server_error", "message": "No."}
    old[-1]["type"] = "response.failed"
    old[-1]["response"].update(status="failed", error=error, incomplete_details=None)
    return old


_THINGS = (
    (
        "a response that counts no tokens",
        "a count that nobody fills in",
        "usage.counted",
        changed(PARTS, answer(counting("output_tokens", 0))),
    ),
    (
        "the input of a response has no tokens",
        "a count that nobody fills in",
        "usage.counted",
        changed(PARTS, answer(counting("input_tokens", 0))),
    ),
    (
        "responses without usage",
        "a hand-made answer",
        "usage.there",
        changed(PLAIN, answer(put("usage", None))),
    ),
    (
        "input tokens as a string",
        "a hand-made answer",
        "usage.counts",
        changed(PLAIN, answer(made("usage.input_tokens", str))),
    ),
    (
        "usage without the details of the output",
        "ggml-org/llama.cpp#22659",
        "usage.details",
        changed(PLAIN, answer(cut("usage.output_tokens_details"))),
    ),
    (
        "more cached tokens than the input has",
        "a count over all requests",
        "usage.within",
        changed(PLAIN, answer(put("usage.input_tokens_details.cached_tokens", 9999))),
    ),
    (
        "a total of responses that is not the sum",
        "a count that was not updated",
        "usage.total",
        changed(PLAIN, answer(made("usage.total_tokens", lambda total: total + 1))),
    ),
    (
        "responses that pass their limit",
        "a limit that is checked a token late",
        "limit.kept",
        changed(PARTS, answer(_counted("output_tokens", 99))),
    ),
    (
        "a cut response that is completed",
        "ollama/ollama PR#17239, jundot/omlx PR#2817",
        "limit.incomplete",
        changed(ROLES, within(CUT, edits=[put("type", "response.completed"), *_told_completed("response.")])),
    ),
    (
        "a cut response that says why, and has no status",
        "the official document requires none",
        "response.state",
        changed(ROLES, within(CUT, edits=[cut("response.status")])),
    ),
    (
        "a response that fails when its limit is reached",
        "an exception behind the last token",
        "stream.no_failure",
        changed(ROLES, values(_failed)),
    ),
    (
        "a cut response that does not say why",
        "a hand-made answer",
        "limit.reason",
        changed(ROLES, within(CUT, edits=[put("response.incomplete_details", None)])),
    ),
    (
        "another text in the stream of a response",
        "jundot/omlx#2584, Blaizzy/mlx-vlm PR#1458",
        "same.streamed",
        changed(STREAM, _shouted),
    ),
    (
        "another text than chat has",
        "another template on each surface",
        "same.text",
        changed(lambda exchange: PLAIN(exchange) or STREAM(exchange), _shouted),
    ),
    (
        "a response that is complete where the chat is cut",
        "a status that is a constant",
        "same.reason",
        changed(PLAIN, answer(*_told_completed())),
    ),
    (
        "an input that has more tokens than in chat",
        "another template on each surface",
        "same.input",
        both(
            changed(PLAIN, answer(_counted("input_tokens", 5))),
            changed(COUNTED, answer(made("input_tokens", lambda number: number + 5))),
        ),
    ),
    (
        "an output that has fewer tokens than in chat",
        "a count of deltas, not of tokens",
        "same.output",
        changed(PLAIN, answer(_counted("output_tokens", -3))),
    ),
)

FAULTS: tuple[Fault, ...] = tuple(
    fault(name, imitates, f"responses.{rule}", change) for name, imitates, rule, change in _THINGS
)
