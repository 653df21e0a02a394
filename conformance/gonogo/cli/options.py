"""The options of `gonogo check`, some of them shared with other commands; those of --fuzz are in `fuzzing`."""

from pathlib import Path

import click

from gonogo.cli.config_file import read_config
from gonogo.rules.profiles import profiles as known_profiles

base_url = click.argument(
    "base_url",
    required=False,
    metavar="[BASE_URL]",
    help=(
        "For example http://127.0.0.1:8000/v1, with its query if it has one. Default: the reference server."
    ),
)
discover = click.option(
    "--discover",
    is_flag=True,
    help="Only list the servers that answer on the usual local ports.",
)
no_config = click.option(
    "--no-config", is_flag=True, is_eager=True, help="Ignore gonogo.toml in this folder."
)
config = click.option(
    "--config",
    type=Path,
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=read_config,
    help="Read options from this TOML file. Default: gonogo.toml in this folder.",
)
model = click.option(
    "--model",
    "models",
    multiple=True,
    metavar="ID",
    help=(
        "The model to check. Default: the first listed model. Repeat it to check several models in one "
        "report."
    ),
)
embedding_model = click.option("--embedding-model", metavar="ID", help="The embedding model.")
only = click.option("--only", multiple=True, metavar="ID", help="Judge only this rule or group; repeatable.")
skip = click.option("--skip", multiple=True, metavar="ID", help="Skip this rule or group; repeatable.")
profile = click.option(
    "--profile",
    "profiles",
    multiple=True,
    type=click.Choice([known.name for known in known_profiles()]),
    help="Judge only the rules of this profile, and require what it needs; repeatable.",
)
node_modules = click.option(
    "--node-modules",
    metavar="DIR",
    type=Path,
    envvar="GONOGO_NODE_MODULES",
    help=(
        "Replay the answers to openai-node and the AI SDK installed in this folder. Variable: "
        "GONOGO_NODE_MODULES."
    ),
)
rule_set = click.option(
    "--rules",
    "rule_set",
    metavar="SET",
    help="The rule set to judge, such as 2026-12. Default: the newest.",
)
require = click.option(
    "--require",
    multiple=True,
    metavar="GROUP",
    help="No-go if this rule or group is unsupported; repeatable.",
)
strict = click.option("--strict", is_flag=True, help="Treat warnings as no-go.")
concurrency = click.option(
    "--concurrency",
    metavar="N",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Maximum parallel requests. With 1, a request that stops the target is always identified.",
)
timeout = click.option(
    "--timeout",
    metavar="S",
    type=click.FloatRange(min=0.001),
    default=60.0,
    show_default=True,
    help="Time limit for one answer, in seconds.",
)
rate_limit = click.option(
    "--rate-limit",
    metavar="N",
    help="Maximum requests per second (2 or 2/s) or per minute (90/m), evenly spread.",
)
max_seconds = click.option(
    "--max-seconds",
    metavar="S",
    type=click.FloatRange(min=0.001),
    help="Time limit for the whole run, in seconds. A run that reaches it is never go.",
)
max_bytes = click.option(
    "--max-bytes",
    metavar="SIZE",
    help="Size limit for all answers together, such as 64MiB. A run that reaches it is never go.",
)
exit_first = click.option(
    "-x", "exit_first", is_flag=True, help="Stop after the first failure, like --max-failures 1."
)
max_failures = click.option(
    "--max-failures",
    metavar="N",
    type=click.IntRange(min=1),
    help="Stop after N broken must rules that the baseline does not waive.",
)
header = click.option(
    "--header", multiple=True, metavar="NAME=VALUE", help="Add this header to every request; repeatable."
)
header_env = click.option(
    "--header-env",
    multiple=True,
    metavar="NAME=VARIABLE",
    help=(
        "Like --header, with the value of an environment variable, which never appears in evidence or "
        "reports; repeatable."
    ),
)
ca_file = click.option(
    "--ca-file", type=Path, metavar="FILE", help="Trust only the certificates in this PEM file."
)
insecure = click.option("--insecure", is_flag=True, help="Do not verify the target's certificate.")
context_length = click.option(
    "--context-length",
    metavar="N",
    type=click.IntRange(min=1),
    help="The context length in tokens, if the target does not report it correctly.",
)
evidence_file = click.option(
    "--evidence", type=Path, metavar="FILE", help="Record the evidence in this file, for gonogo judge."
)
show_plan = click.option("--plan", "show_plan", is_flag=True, help="Print the requests without sending them.")
extra_body = click.option(
    "--extra-body",
    metavar="JSON",
    help=(
        "Add the fields of this JSON object to every generation request; fields that a rule sets take "
        "precedence."
    ),
)
resume = click.option(
    "--resume",
    is_flag=True,
    help="Continue the run in the evidence file: send only requests that never reached the target.",
)
baseline = click.option(
    "--baseline", type=Path, metavar="FILE", help="Waive the broken rules listed in this TOML file."
)
update_baseline = click.option(
    "--update-baseline",
    is_flag=True,
    help="Update the baseline file after this run; the run itself is judged by the old file.",
)
verbose = click.option(
    "-v", "--verbose", is_flag=True, help="List every rule that did not pass, and show causes in full."
)
quiet = click.option(
    "-q", "--quiet", is_flag=True, help="Print only the verdict, and baseline problems that break the gate."
)
label = click.option(
    "--label",
    metavar="TEXT",
    help="The name of the target in gonogo matrix, such as 'my-server 1.2'; stored in the JSON report.",
)
json_file = click.option(
    "--json", "json_file", type=Path, metavar="FILE", help="Write the report as JSON; - is stdout."
)
junit_file = click.option(
    "--junit", "junit_file", type=Path, metavar="FILE", help="Write the report as JUnit XML; - is stdout."
)
sarif_file = click.option(
    "--sarif", "sarif_file", type=Path, metavar="FILE", help="Write the report as SARIF; - is stdout."
)
html_file = click.option(
    "--html", "html_file", type=Path, metavar="FILE", help="Write the report as one HTML page; - is stdout."
)
markdown_file = click.option(
    "--markdown",
    "markdown_file",
    type=Path,
    metavar="FILE",
    help="Write the report as Markdown; - is stdout.",
)
html_file = click.option(
    "--html",
    "html_file",
    type=Path,
    metavar="FILE",
    help="Write the report as one self-contained HTML page; - is stdout.",
)
