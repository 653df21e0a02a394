"""`gonogo check`: collect answers from a target, judge them, report."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import click

from gonogo import running, serving
from gonogo.addresses import tidy
from gonogo.cli import fuzzing, options, upstream
from gonogo.cli.check_options import CheckOptions
from gonogo.cli.console import Console
from gonogo.cli.discovering import print_discovered
from gonogo.cli.interrupting import interruptible
from gonogo.cli.output import claim, probe
from gonogo.cli.planning import print_plan
from gonogo.cli.printing import say
from gonogo.cli.progress import progress
from gonogo.cli.reports import STATUS, detail_of
from gonogo.cli.waivers import waiving
from gonogo.collect.plan import plan
from gonogo.collect.stopping import Stopper
from gonogo.collection import Approach
from gonogo.report.terminal import print_report
from gonogo.rules import load


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
def check(**given: Any) -> None:  # noqa: ANN401 - click gives the options by name
    """Check an endpoint against the contract and print go or no-go.

    The API key is read from GONOGO_API_KEY, else from OPENAI_API_KEY. Without a base URL, the reference server
    is started on a free port, checked, and stopped.
    """
    if given["discover"]:
        print_discovered()
    else:
        _check(CheckOptions(**given))


def _check(given: CheckOptions) -> None:
    detail = detail_of(verbose=given.verbose, quiet=given.quiet)
    approach, catalogue = given.approach(), load(fuzz=True, node=True, gateway=True)
    selection, models = given.selection(), len(given.models)
    scenarios = selection.scenarios(catalogue)
    asked = plan(scenarios)
    if given.show_plan:
        print_plan(asked, approach.fuzzing, models)
        return
    accepted = waiving(given.baseline, update=given.update_baseline)
    if given.insecure:
        say("The target's certificate is not verified (--insecure): any server may be answering.")
    stopper = Stopper()
    with given.outputs() as opened, interruptible(stopper, given.evidence, given.base_url):
        if given.evidence is not None:
            (probe if given.resume else claim)(given.evidence)
        showing = progress(asked, scenarios, approach.fuzzing, models)
        with _reachable(approach, given.base_url) as reached, showing as on_done:
            report = running.check(reached, selection, catalogue, on_done, accepted.waivers, stopper)
        report = replace(report, label=given.label)
        opened.write(report)
        print_report(report, opened.console, detail)
        if stopper.number is not None:
            raise KeyboardInterrupt
    accepted.write(report, catalogue)
    raise click.exceptions.Exit(STATUS[report.gate])


@contextlib.contextmanager
def _reachable(approach: Approach, base_url: str | None) -> Iterator[Approach]:
    """The approach itself, or one to a new reference server, with its models and key."""
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
