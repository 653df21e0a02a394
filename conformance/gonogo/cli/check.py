"""`gonogo check`: collect answers from a target, judge them, report."""

import contextlib
import os
import secrets
import shlex
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType

import click

from gonogo import running, serving
from gonogo.addresses import tidy
from gonogo.asking import Approach
from gonogo.cli import fuzzing, options, upstream
from gonogo.cli.console import Console
from gonogo.cli.discovering import print_discovered
from gonogo.cli.headers import own_headers
from gonogo.cli.output import claim, probe
from gonogo.cli.printing import say, show
from gonogo.cli.progress import progress
from gonogo.cli.reports import STATUS, detail_of, report_sinks
from gonogo.cli.waivers import waiving
from gonogo.clients import nodejs
from gonogo.collect.pace import parse_rate
from gonogo.collect.plan import Plan, plan
from gonogo.collect.room import parse_bytes
from gonogo.collect.sharing import shared
from gonogo.collect.stopping import Stopper
from gonogo.collect.trust import trust
from gonogo.errors import UsageError
from gonogo.fuzz import Fuzzing
from gonogo.report.terminal import print_report
from gonogo.rules import load
from gonogo.running import Selection
from gonogo.stimuli.extra import parse_extra

KEY_VARIABLES = ("GONOGO_API_KEY", "OPENAI_API_KEY")


@click.command()
@options.base_url
@options.discover
@options.no_config
@options.config
@options.model
@options.embedding_model
@options.only
@options.skip
@options.profile
@options.rule_set
@options.node_modules
@options.require
@options.strict
@options.concurrency
@options.timeout
@options.rate_limit
@options.max_seconds
@options.max_bytes
@options.exit_first
@options.max_failures
@options.header
@options.header_env
@options.ca_file
@options.insecure
@options.context_length
@options.evidence_file
@options.resume
@options.extra_body
@options.show_plan
@fuzzing.fuzz
@fuzzing.fuzz_budget
@fuzzing.fuzz_seed
@upstream.upstream_faults
@upstream.upstream_host
@upstream.upstream_port
@upstream.upstream_wait
@options.baseline
@options.update_baseline
@options.label
@options.json_file
@options.junit_file
@options.sarif_file
@options.html_file
@options.markdown_file
@options.verbose
@options.quiet
def check(  # noqa: PLR0913 - one parameter an option
    *,
    base_url: str | None,
    discover: bool,
    no_config: bool,  # noqa: ARG001 - read before
    models: tuple[str, ...],
    embedding_model: str | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    profiles: tuple[str, ...],
    rule_set: str | None,
    node_modules: Path | None,
    require: tuple[str, ...],
    strict: bool,
    concurrency: int,
    timeout: float,
    rate_limit: str | None,
    max_seconds: float | None,
    max_bytes: str | None,
    exit_first: bool,
    max_failures: int | None,
    header: tuple[str, ...],
    header_env: tuple[str, ...],
    ca_file: Path | None,
    insecure: bool,
    context_length: int | None,
    evidence: Path | None,
    resume: bool,
    extra_body: str | None,
    show_plan: bool,
    fuzz: bool,
    fuzz_budget: str | None,
    fuzz_seed: int | None,
    upstream_faults: bool,
    upstream_host: str | None,
    upstream_port: int | None,
    upstream_wait: float | None,
    baseline: Path | None,
    update_baseline: bool,
    label: str | None,
    json_file: Path | None,
    junit_file: Path | None,
    sarif_file: Path | None,
    html_file: Path | None,
    markdown_file: Path | None,
    verbose: bool,
    quiet: bool,
) -> None:
    """Check an endpoint against the contract and print go or no-go.

    The API key is read from GONOGO_API_KEY, else from OPENAI_API_KEY. Without a base URL, the reference server
    is started on a free port, checked, and stopped.
    """
    if discover:
        print_discovered()
        return
    detail = detail_of(verbose=verbose, quiet=quiet)
    if resume and (evidence is None or base_url is None):
        raise UsageError(
            "--resume continues a run: give its evidence file with --evidence, and its base URL."
        )
    _refuse_twice(models)
    extra = {} if extra_body is None else parse_extra(extra_body)
    headers = own_headers(header, header_env)
    interval = None if rate_limit is None else parse_rate(rate_limit)
    most_bytes = None if max_bytes is None else parse_bytes(max_bytes)
    trust(ca_file, insecure=insecure)  # an invalid file is reported before anything is sent
    most = _most_failures(exit_first=exit_first, max_failures=max_failures)
    behind = upstream.asked_for(
        wanted=upstream_faults, host=upstream_host, port=upstream_port, wait=upstream_wait
    )
    if behind is not None:
        upstream.refuse_beside(base_url, models, fuzz=fuzz, resume=resume)
    catalogue = load(fuzz=True, node=True, gateway=True)
    generated = fuzzing.asked_for(wanted=fuzz, budget=fuzz_budget, seed=fuzz_seed)
    selection = Selection(
        only,
        skip,
        require,
        strict,
        fuzz,
        rule_set,
        None if node_modules is None else nodejs.find(node_modules),
        profiles,
        gateway=behind is not None,
    )
    scenarios = selection.scenarios(catalogue)
    asked = plan(scenarios)
    if show_plan:
        _print_plan(asked, generated, len(models))
        return
    accepted = waiving(baseline, update=update_baseline)
    outputs = report_sinks(
        json_file=json_file,
        junit_file=junit_file,
        sarif_file=sarif_file,
        html_file=html_file,
        markdown_file=markdown_file,
    )
    approach = Approach(
        base_url or "",
        _key(),
        models=models,
        embedding_model=embedding_model,
        concurrency=concurrency,
        timeout=timeout,
        evidence=evidence,
        fuzzing=generated,
        extra_body=extra,
        resume=resume,
        headers=headers,
        ca_file=ca_file,
        insecure=insecure,
        interval=interval,
        max_seconds=max_seconds,
        max_bytes=most_bytes,
        max_failures=most,
        context_length=context_length,
        behind=behind,
    )
    if insecure:
        say("The target's certificate is not verified (--insecure): any server may be answering.")
    stopper = Stopper()
    with outputs as opened, _interruptible(stopper, evidence, base_url):
        if evidence is not None:
            (probe if resume else claim)(evidence)
        showing = progress(asked, scenarios, generated, len(models))
        with _reachable(approach, base_url) as reached, showing as on_done:
            report = running.check(reached, selection, catalogue, on_done, accepted.waivers, stopper)
        report = replace(report, label=label)
        opened.write(report)
        print_report(report, opened.console, detail)
        if stopper.number is not None:
            raise KeyboardInterrupt
    accepted.write(report, catalogue)
    raise click.exceptions.Exit(STATUS[report.gate])


def _refuse_twice(models: tuple[str, ...]) -> None:
    twice = next((model for model in models if models.count(model) > 1), None)
    if twice is not None:
        raise UsageError(f'--model is given twice with "{twice}"; remove one of them.')


def _most_failures(*, exit_first: bool, max_failures: int | None) -> int | None:
    if exit_first and max_failures is not None:
        raise UsageError("-x means --max-failures 1; remove one of them.")
    return 1 if exit_first else max_failures


def _key() -> str | None:
    return next((key for name in KEY_VARIABLES if (key := os.environ.get(name))), None)


@contextlib.contextmanager
def _reachable(approach: Approach, base_url: str | None) -> Iterator[Approach]:
    """The approach itself, or one to a new reference server, which serves its models and needs a key."""
    if base_url is not None:
        yield replace(approach, base_url=tidy(base_url))
        return
    with contextlib.ExitStack() as stack:
        with Console(stderr=True).status("Starting the reference server"):
            models = [model for model in (*approach.models, approach.embedding_model) if model]
            key = secrets.token_urlsafe()
            url = stack.enter_context(serving.reference_server(*models, key=key))
        several = serving.chat_models(url, key) if len(approach.models) > 1 else ()
        yield replace(approach, base_url=url, api_key=key, models=several, embedding_model=None)


@contextlib.contextmanager
def _interruptible(stopper: Stopper, evidence: Path | None, base_url: str | None) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the run in good order, so that its report is written and no server left behind.

    Leaves with 128 and the number of the signal, as shells say it, and one sentence on where the evidence is. A target
    with a base URL is there later, too, so that the run can be gone on with.
    """

    def end(number: int, _: FrameType | None) -> None:
        if not stopper.stop(number):
            raise KeyboardInterrupt

    numbers = [number for number in (signal.SIGINT, signal.SIGTERM) if _is_heeded(number)]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    except KeyboardInterrupt as stop:
        kept = evidence is not None and evidence.exists() and evidence.stat().st_size > 0
        told = f"; the evidence recorded so far is in {evidence}" if kept else ""
        say(f"Interrupted{told}.")
        if kept and base_url:
            say(f"To continue: {shlex.join(_again(sys.argv[1:]))}")
        raise click.exceptions.Exit(128 + (stopper.number or signal.SIGINT)) from stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _again(arguments: list[str]) -> list[str]:
    """The command line that continues with a run of these arguments."""
    return ["gonogo", *arguments, *([] if "--resume" in arguments else ["--resume"])]


def _is_heeded(number: signal.Signals) -> bool:
    """Whether a signal does anything; a script that sends a job to the background has it ignore SIGINT."""
    return signal.getsignal(number) is not signal.SIG_IGN


def _print_plan(asked: Plan, generated: Fuzzing | None, models: int) -> None:
    lines = [
        f"{stimulus.risk.name.lower():<9} {_cost(stimulus.tokens):>11}  {stimulus.key}"
        for stimulus in asked.stimuli
    ]
    more = "follows each batch of hostile requests to test whether the target still answers."
    if models < 2:
        lines.append(
            f"{asked.requests} requests, at most {asked.tokens} generated tokens; two more requests "
            f"open the run, and one {more}"
        )
    else:
        once = shared(asked)
        own = asked.requests - once.requests
        lines.append(
            f"{once.requests} requests once, and {own} with each of {models} models: "
            f"{once.requests + models * own} requests, at most "
            f"{once.tokens + models * (asked.tokens - once.tokens)} generated tokens; {1 + models} "
            f"more requests open the run, and one {more}"
        )
    if generated is not None:
        lines.append(f"Then --fuzz{', with each model' if models > 1 else ''}: {generated.budget}.")
    show(lines)


def _cost(tokens: int) -> str:
    return f"{tokens} tokens" if tokens else "no tokens"
