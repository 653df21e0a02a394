"""The options of `gonogo check`, and the parts of a run that they describe."""

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from gonogo.cli import fuzzing, upstream
from gonogo.cli.headers import own_headers
from gonogo.cli.output import Sinks
from gonogo.cli.reports import report_sinks
from gonogo.clients import nodejs
from gonogo.collect.pace import parse_rate
from gonogo.collect.size_limit import parse_bytes
from gonogo.collect.trust import trust
from gonogo.collection import Approach
from gonogo.errors import UsageError
from gonogo.report.model import Report
from gonogo.running import Selection
from gonogo.stimuli.extra import parse_extra

KEY_VARIABLES = ("GONOGO_API_KEY", "OPENAI_API_KEY")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """The options as click parses them, one field each; `no_config` was read before, with the file.

    The methods combine the options. They raise UsageError for options that exclude each other or cannot be parsed.
    """

    base_url: str | None
    discover: bool
    no_config: bool
    models: tuple[str, ...]
    embedding_model: str | None
    only: tuple[str, ...]
    skip: tuple[str, ...]
    profiles: tuple[str, ...]
    rule_set: str | None
    node_modules: Path | None
    require: tuple[str, ...]
    strict: bool
    concurrency: int
    timeout: float
    rate_limit: str | None
    max_seconds: float | None
    max_bytes: str | None
    exit_first: bool
    max_failures: int | None
    header: tuple[str, ...]
    header_env: tuple[str, ...]
    ca_file: Path | None
    insecure: bool
    context_length: int | None
    evidence: Path | None
    resume: bool
    extra_body: str | None
    show_plan: bool
    fuzz: bool
    fuzz_budget: str | None
    fuzz_seed: int | None
    upstream_faults: bool
    upstream_host: str | None
    upstream_port: int | None
    upstream_wait: float | None
    baseline: Path | None
    update_baseline: bool
    label: str | None
    json_file: Path | None
    junit_file: Path | None
    sarif_file: Path | None
    html_file: Path | None
    markdown_file: Path | None
    verbose: bool
    quiet: bool

    def approach(self) -> Approach:
        """How to reach the target; `base_url` is "" if none was given."""
        self._refuse_contradictions()
        extra = {} if self.extra_body is None else parse_extra(self.extra_body)
        headers = own_headers(self.header, self.header_env)
        interval = None if self.rate_limit is None else parse_rate(self.rate_limit)
        max_bytes = None if self.max_bytes is None else parse_bytes(self.max_bytes)
        trust(self.ca_file, insecure=self.insecure)  # an invalid file is reported before anything is sent
        max_failures = self._most_failures()
        behind = upstream.asked_for(
            wanted=self.upstream_faults,
            host=self.upstream_host,
            port=self.upstream_port,
            wait=self.upstream_wait,
        )
        if behind is not None:
            upstream.refuse_beside(self.base_url, self.models, fuzz=self.fuzz, resume=self.resume)
        return Approach(
            self.base_url or "",
            next((key for name in KEY_VARIABLES if (key := os.environ.get(name))), None),
            models=self.models,
            embedding_model=self.embedding_model,
            concurrency=self.concurrency,
            timeout=self.timeout,
            evidence=self.evidence,
            fuzzing=fuzzing.asked_for(wanted=self.fuzz, budget=self.fuzz_budget, seed=self.fuzz_seed),
            extra_body=extra,
            resume=self.resume,
            headers=headers,
            ca_file=self.ca_file,
            insecure=self.insecure,
            interval=interval,
            max_seconds=self.max_seconds,
            max_bytes=max_bytes,
            max_failures=max_failures,
            context_length=self.context_length,
            behind=behind,
        )

    def selection(self) -> Selection:
        """The rules that are judged, and those that are required."""
        return Selection(
            self.only,
            self.skip,
            self.require,
            self.strict,
            self.fuzz,
            self.rule_set,
            None if self.node_modules is None else nodejs.find(self.node_modules),
            self.profiles,
            gateway=self.upstream_faults,
        )

    def outputs(self) -> AbstractContextManager[Sinks[Report]]:
        """The files that the report is written to."""
        return report_sinks(
            json_file=self.json_file,
            junit_file=self.junit_file,
            sarif_file=self.sarif_file,
            html_file=self.html_file,
            markdown_file=self.markdown_file,
        )

    def _refuse_contradictions(self) -> None:
        if self.resume and (self.evidence is None or self.base_url is None):
            raise UsageError(
                "--resume continues a run: give its evidence file with --evidence, and its base URL."
            )
        twice = next((model for model in self.models if self.models.count(model) > 1), None)
        if twice is not None:
            raise UsageError(f'--model is given twice with "{twice}"; remove one of them.')

    def _most_failures(self) -> int | None:
        if self.exit_first and self.max_failures is not None:
            raise UsageError("-x means --max-failures 1; remove one of them.")
        return 1 if self.exit_first else self.max_failures
