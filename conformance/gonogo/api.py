"""The Python API: `gonogo.check` checks a target and returns the report; `gonogo.acheck` does so in an event loop.

Import the names from `gonogo` itself, which are stable; the modules below it may change.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

from gonogo import baseline as baselines
from gonogo import running
from gonogo.addresses import tidy
from gonogo.collect.stopping import Stopper
from gonogo.collect.trust import trust
from gonogo.collection import Approach
from gonogo.errors import UsageError
from gonogo.redaction import OwnHeader, looks_secret
from gonogo.rules import load

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from os import PathLike

    from gonogo.report.model import Report

P = ParamSpec("P")

_stopper: ContextVar[Stopper | None] = ContextVar("stopper", default=None)
"""Ends the run of a cancelled call."""


def check(  # noqa: PLR0913 - one keyword parameter per option
    base_url: str,
    *,
    api_key: str | None = None,
    models: Iterable[str] = (),
    embedding_model: str | None = None,
    only: Iterable[str] = (),
    skip: Iterable[str] = (),
    require: Iterable[str] = (),
    profiles: Iterable[str] = (),
    rules: str | None = None,
    strict: bool = False,
    concurrency: int = 8,
    timeout: float = 60.0,
    max_seconds: float | None = None,
    max_failures: int | None = None,
    headers: Mapping[str, str] | None = None,
    extra_body: Mapping[str, object] | None = None,
    evidence: str | PathLike[str] | None = None,
    baseline: str | PathLike[str] | None = None,
    ca_file: str | PathLike[str] | None = None,
    insecure: bool = False,
    context_length: int | None = None,
) -> Report:
    """Send the requests of the rules to a target, judge the answers, and return the report; its `gate` is the verdict.

    `base_url` ends before "/chat/completions", as in "http://127.0.0.1:8000/v1". Nothing is read from the environment
    or from a file that is not named here: `api_key`, if given, is sent as a bearer token. `models` are judged one by
    one; the default is the first model that the target lists. `only`, `skip` and `require` hold ids of rules or of
    their groups ("chat.stream"), `profiles` names of profiles ("agent"), `rules` a rule set ("2026-12"). `timeout`
    limits one answer, and `max_seconds` all of them together, both in seconds; the run stops after `max_failures`
    broken must rules. `evidence` is a file to write, `baseline` a TOML file of waivers. `context_length` is in tokens.

    Raises UsageError for an invalid argument, TargetError if the target cannot be judged at all, and EvidenceError if
    the file of evidence cannot be written; each is a GonogoError, whose text has advice.
    """
    _refuse_text(models=models, only=only, skip=skip, require=require, profiles=profiles)
    ca_path = None if ca_file is None else Path(ca_file)
    trust(ca_path, insecure=insecure)  # a file that cannot be read is reported before anything is sent
    approach = Approach(
        tidy(base_url),
        api_key,
        models=tuple(models),
        embedding_model=embedding_model,
        concurrency=concurrency,
        timeout=timeout,
        evidence=None if evidence is None else Path(evidence),
        extra_body=dict(extra_body or {}),
        headers=tuple(OwnHeader(name, value, looks_secret(name)) for name, value in (headers or {}).items()),
        ca_file=ca_path,
        insecure=insecure,
        max_seconds=max_seconds,
        max_failures=max_failures,
        context_length=context_length,
    )
    selection = running.Selection(
        tuple(only), tuple(skip), tuple(require), strict, rule_set=rules, profiles=tuple(profiles)
    )
    return running.check(approach, selection, load(), waivers=_waivers(baseline), stopper=_stopper.get())


def _asynchronous(call: Callable[P, Report]) -> Callable[P, Coroutine[None, None, Report]]:
    @wraps(call)
    async def run(*arguments: P.args, **options: P.kwargs) -> Report:
        stopper = Stopper()

        def judged() -> Report | None:
            _stopper.set(stopper)  # of this thread's copy of the context
            with suppress(KeyboardInterrupt):  # ended before the first requests were done
                return call(*arguments, **options)
            return None

        thread = asyncio.ensure_future(asyncio.to_thread(judged))
        try:
            report = await asyncio.shield(thread)
        except asyncio.CancelledError:
            stopper.stop(signal.SIGINT)
            await asyncio.wait({thread})
            raise
        assert report is not None, "only a cancelled run has no report"
        return report

    return run


acheck = _asynchronous(check)
acheck.__name__ = acheck.__qualname__ = "acheck"
acheck.__doc__ = """The same as `check`, from a coroutine: the run has a thread and its own event loop.

Takes and raises what `check` does. A call that is cancelled breaks off the requests in flight, and then raises
CancelledError.
"""


def _refuse_text(**options: Iterable[str]) -> None:
    """Raise UsageError for "chat" in place of ("chat",): a string is an iterable of its characters."""
    for name, value in options.items():
        if isinstance(value, str):
            raise UsageError(f'{name} takes several texts: write {name}=["{value}"].')


def _waivers(path: str | PathLike[str] | None) -> running.Waivers | None:
    if path is None:
        return None
    return running.Waivers(baselines.read(Path(path)), datetime.now(UTC).date())
