"""A report on a target whose texts try to act in a page; they are harmless here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.evidence import Target
from gonogo.exchange import Chunk, Failure, FailureKind
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.report.model import Report

HOSTILE = (
    "<script>window.acted = 1</script>",
    "</script></style></title></svg><script>window.acted = 2</script>",
    '"><img src=x onerror="window.acted = 3">',
    "' onfocus='window.acted = 4' autofocus='",
    "<svg/onload=window.acted=5><a href=javascript:window.acted=6>x</a>",
    "<!-- <![CDATA[ ]]> -->",
    "{{ 7 * 7 }} {% raw %} ${7 * 7}",
    "&lt;b&gt; &amp;#60; &#x3c;",
    "\x00\x01\x07\x08\x1b[31m\x1b]0;title\x07\x7f\x85",
    "\u202eabc\u202c \u2066x\u2069 \u200b\u200f\ufeff \u2028\u2029",
    "z\u0301\u0302\u0303\u0304\u0305\u0306",
    "line\r\nline\tline",
    "\ud800\udfff",
    "long " * 90,
)


def hostile(make: Callable[..., Report], told: str | None = None) -> Report:
    """A report of every verdict with these texts in place of all of the target's, or only with `told`."""
    text = " ".join(HOSTILE) if told is None else told
    report = make(*Verdict)
    data = f'data: {{"choices": [{{"delta": {{"content": "{text}"}}}}]}}\n\n: {text}\n\n'
    url = text.encode(errors="replace").decode()  # characters that no URL can contain are refused earlier
    body = data.encode("utf-8", "surrogatepass") + b"\xff\xfe" + data.encode("utf-8", "surrogatepass")
    exchanges = {
        name: replace(
            exchange,
            stimulus=text,
            request=replace(exchange.request, path=f"/models/{url}"),
            chunks=(Chunk(0.25, body),),
            failure=Failure(FailureKind.RESET, 0.5, text),
        )
        for name, exchange in report.exchanges.items()
    }
    return replace(
        report,
        target=Target(f"http://127.0.0.1:8000/{url}", text, text),
        judgements=tuple(
            replace(j, actual=None if j.actual is None else text, expected=j.expected and f"not {text}")
            for j in report.judgements
        ),
        causes=tuple(replace(cause, seen=text, breaks=text) for cause in report.causes),
        exchanges=exchanges,
    )
