"""`gonogo check`: ask a target, judge its answers, report."""

import contextlib
import os
import secrets
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gonogo import running, serving
from gonogo.cli import fuzzing, options
from gonogo.cli.console import Console
from gonogo.cli.output import claim, probe
from gonogo.cli.printing import show
from gonogo.cli.reports import STATUS, detail_of, report_sinks
from gonogo.cli.waivers import waiving
from gonogo.collect.plan import Plan, plan
from gonogo.errors import UsageError
from gonogo.fuzz import Fuzzing
from gonogo.report.terminal import print_report
from gonogo.rules import load
from gonogo.running import Approach, Selection
from gonogo.stimuli.extra import parse_extra

KEY_VARIABLES = ("GONOGO_API_KEY", "OPENAI_API_KEY")


@click.command()
@options.base_url
@options.model
@options.embedding_model
@options.only
@options.skip
@options.require
@options.strict
@options.concurrency
@options.timeout
@options.evidence_file
@options.resume
@options.extra_body
@options.show_plan
@fuzzing.fuzz
@fuzzing.fuzz_budget
@fuzzing.fuzz_seed
@options.baseline
@options.update_baseline
@options.json_file
@options.junit_file
@options.sarif_file
@options.markdown_file
@options.verbose
@options.quiet
def check(  # noqa: PLR0913 - one parameter an option
    *,
    base_url: str | None,
    model: str | None,
    embedding_model: str | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    require: tuple[str, ...],
    strict: bool,
    concurrency: int,
    timeout: float,
    evidence: Path | None,
    resume: bool,
    extra_body: str | None,
    show_plan: bool,
    fuzz: bool,
    fuzz_budget: str | None,
    fuzz_seed: int | None,
    baseline: Path | None,
    update_baseline: bool,
    json_file: Path | None,
    junit_file: Path | None,
    sarif_file: Path | None,
    markdown_file: Path | None,
    verbose: bool,
    quiet: bool,
) -> None:
    """Ask an endpoint everything the rules look at, and say go or no-go.

    A key is read from GONOGO_API_KEY, or else OPENAI_API_KEY, and sent to the endpoint. Without a base URL
    the reference server is started on a free port, checked, and stopped.
    """
    detail = detail_of(verbose=verbose, quiet=quiet)
    if resume and (evidence is None or base_url is None):
        raise UsageError("--resume goes on with a run: name its file with --evidence, and its base URL.")
    extra = {} if extra_body is None else parse_extra(extra_body)
    catalogue = load(fuzz=True)
    generated = fuzzing.asked_for(wanted=fuzz, budget=fuzz_budget, seed=fuzz_seed)
    selection = Selection(only, skip, require, strict, fuzz)
    asked = plan(selection.scenarios(catalogue))
    if show_plan:
        _print_plan(asked, generated)
        return
    accepted = waiving(baseline, update=update_baseline)
    outputs = report_sinks(
        json_file=json_file, junit_file=junit_file, sarif_file=sarif_file, markdown_file=markdown_file
    )
    approach = Approach(
        base_url or "",
        _key(),
        model=model,
        embedding_model=embedding_model,
        concurrency=concurrency,
        timeout=timeout,
        evidence=evidence,
        fuzzing=generated,
        extra_body=extra,
        resume=resume,
    )
    with outputs as opened, _interruptible(evidence, base_url):
        if evidence is not None:
            (probe if resume else claim)(evidence)
        with _reachable(approach, base_url) as reached, _progress(asked, generated) as on_done:
            report = running.check(reached, selection, catalogue, on_done, accepted.waivers)
        opened.write(report)
        print_report(report, opened.console, detail)
    accepted.write(report, catalogue)
    raise click.exceptions.Exit(STATUS[report.gate])


def _key() -> str | None:
    return next((key for name in KEY_VARIABLES if (key := os.environ.get(name))), None)


@contextlib.contextmanager
def _reachable(approach: Approach, base_url: str | None) -> Iterator[Approach]:
    """The approach itself, or one to a reference server of our own, which serves its models and needs a key."""
    if base_url is not None:
        yield replace(approach, base_url=base_url.rstrip("/"))
        return
    with contextlib.ExitStack() as stack:
        with Console(stderr=True).status("Starting the reference server"):
            models = [model for model in (approach.model, approach.embedding_model) if model]
            key = secrets.token_urlsafe()
            url = stack.enter_context(serving.reference_server(*models, key=key))
        yield replace(approach, base_url=url, api_key=key, model=None, embedding_model=None)


@contextlib.contextmanager
def _interruptible(evidence: Path | None, base_url: str | None) -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, so that it leaves no server behind; say where the evidence so far is.

    A target with a base URL is there later, too, so that the run can be gone on with.
    """
    before = signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        yield
    except KeyboardInterrupt as stop:
        kept = evidence is not None and evidence.exists() and evidence.stat().st_size > 0
        told = f"; what was recorded so far is in {evidence}" if kept else ""
        raise KeyboardInterrupt(f"{told}; --resume goes on with it" if kept and base_url else told) from stop
    finally:
        signal.signal(signal.SIGTERM, before)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """Do what SIGINT does at this moment: while requests are under way, asyncio cancels them in good order."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):  # ignored, as in a job that a script sent to the background
        raise KeyboardInterrupt
    handler(number, frame)


@contextlib.contextmanager
def _progress(asked: Plan, generated: Fuzzing | None) -> Iterator[Callable[[], None]]:
    """A bar on stderr while requests are sent, where somebody looks at it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        cases = 0 if generated is None else generated.budget.cases
        task = progress.add_task("requests", total=asked.requests + cases)
        yield lambda: progress.advance(task)


def _print_plan(asked: Plan, generated: Fuzzing | None) -> None:
    lines = [
        f"{stimulus.risk.name.lower():<9} {_cost(stimulus.tokens):>11}  {stimulus.key}"
        for stimulus in asked.stimuli
    ]
    total = (
        f"{asked.requests} requests, at most {asked.tokens} generated tokens; two more requests greet "
        "the target, and one follows each batch of hostile ones to see whether it still answers."
    )
    show([*lines, total] if generated is None else [*lines, total, f"Then --fuzz: {generated.budget}."])


def _cost(tokens: int) -> str:
    return f"{tokens} tokens" if tokens else "no tokens"
