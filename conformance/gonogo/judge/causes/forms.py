"""The forms of a generation (complete, streamed, …), and the forms to which a defect is limited."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo.exchange import Exchange

_NAMES = {
    ("/chat/completions", False): "whole chat completions",
    ("/chat/completions", True): "streamed chat completions",
    ("/completions", False): "whole completions",
    ("/completions", True): "streamed completions",
}


def only_in(broken: Iterable[Exchange], kept: Iterable[Exchange]) -> str:
    """The forms of the broken exchanges, as ", in ... only", if another form is correct; else ""."""
    wrong = {_form(exchange) for exchange in broken}
    if not {_form(exchange) for exchange in kept} - wrong:
        return ""
    return f", in {' and '.join(name for form, name in _NAMES.items() if form in wrong)} only"


def _form(exchange: Exchange) -> tuple[str, bool]:
    return exchange.request.path, exchange.is_stream
