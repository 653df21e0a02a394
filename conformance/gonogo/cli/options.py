"""The options of `gonogo check`, some of which other commands share; those of --fuzz stand in `fuzzing`."""

from pathlib import Path

import click

from gonogo.cli.config_file import read_config
from gonogo.rules.profiles import profiles as known_profiles

base_url = click.argument(
    "base_url",
    required=False,
    metavar="[BASE_URL]",
    help="As http://127.0.0.1:8000/v1, ?query=included; else the reference server.",
)
discover = click.option(
    "--discover",
    is_flag=True,
    help="List the servers that answer on this machine's usual ports, and check none.",
)
no_config = click.option(
    "--no-config", is_flag=True, is_eager=True, help="Do not read gonogo.toml in this folder."
)
config = click.option(
    "--config",
    type=Path,
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=read_config,
    help="Read options from this TOML file; else from gonogo.toml in this folder.",
)
model = click.option(
    "--model",
    "models",
    multiple=True,
    metavar="ID",
    help="The model to ask for, else the first; repeatable: each is judged for itself, in one report.",
)
embedding_model = click.option("--embedding-model", metavar="ID", help="The model for embeddings.")
only = click.option(
    "--only", multiple=True, metavar="ID", help="Judge this rule, or those under this id; repeatable."
)
skip = click.option(
    "--skip", multiple=True, metavar="ID", help="Leave out this rule, or those under this id; repeatable."
)
profile = click.option(
    "--profile",
    "profiles",
    multiple=True,
    type=click.Choice([known.name for known in known_profiles()]),
    help="The rules of this profile; a check requires what it needs. Repeatable.",
)
node_modules = click.option(
    "--node-modules",
    metavar="DIR",
    type=Path,
    envvar="GONOGO_NODE_MODULES",
    help="Have openai-node and the AI SDK of this folder read the answers too; or GONOGO_NODE_MODULES.",
)
rule_set = click.option(
    "--rules", "rule_set", metavar="SET", help="Judge the rules as of this set, as 2026-12; else the newest."
)
require = click.option(
    "--require", multiple=True, metavar="GROUP", help="No-go where this group is unsupported; repeatable."
)
strict = click.option("--strict", is_flag=True, help="Warnings are a no-go too.")
concurrency = click.option(
    "--concurrency",
    metavar="N",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Requests under way at a time; with 1, one that kills is named for sure.",
)
timeout = click.option(
    "--timeout",
    metavar="S",
    type=click.FloatRange(min=0.001),
    default=60.0,
    show_default=True,
    help="Seconds that one answer may take.",
)
rate_limit = click.option(
    "--rate-limit", metavar="N", help="Requests a second, as 2 or 2/s, or a minute, as 90/m, evenly spread."
)
max_seconds = click.option(
    "--max-seconds",
    metavar="S",
    type=click.FloatRange(min=0.001),
    help="Seconds that all requests may take together; what is left then is not sent, and no run is go.",
)
max_bytes = click.option(
    "--max-bytes",
    metavar="SIZE",
    help="Bytes that all answers may have together, as 64MiB; what is left then is not sent, and no run is go.",
)
exit_first = click.option("-x", "exit_first", is_flag=True, help="The same as --max-failures 1.")
max_failures = click.option(
    "--max-failures",
    metavar="N",
    type=click.IntRange(min=1),
    help="Send no more once N must rules are broken that the baseline does not waive.",
)
header = click.option(
    "--header", multiple=True, metavar="NAME=VALUE", help="Add this header to every request; repeatable."
)
header_env = click.option(
    "--header-env",
    multiple=True,
    metavar="NAME=VARIABLE",
    help="The same with the value of a variable, which is kept out of evidence and reports; repeatable.",
)
ca_file = click.option(
    "--ca-file", type=Path, metavar="FILE", help="Trust the certificates of this PEM file, and no others."
)
insecure = click.option("--insecure", is_flag=True, help="Do not look at the target's certificate.")
context_length = click.option(
    "--context-length",
    metavar="N",
    type=click.IntRange(min=1),
    help="Tokens that the model reads, where the target does not tell it, or wrongly.",
)
evidence_file = click.option(
    "--evidence", type=Path, metavar="FILE", help="Keep what was recorded, for gonogo judge."
)
show_plan = click.option(
    "--plan", "show_plan", is_flag=True, help="Say what would be sent, and send nothing."
)
extra_body = click.option(
    "--extra-body",
    metavar="JSON",
    help="Add the fields of this object to every generation; what a rule asks for stays as it is.",
)
resume = click.option(
    "--resume", is_flag=True, help="Go on with the evidence file: send what never reached the target."
)
baseline = click.option(
    "--baseline", type=Path, metavar="FILE", help="Waive the broken rules that this TOML file lists."
)
update_baseline = click.option(
    "--update-baseline", is_flag=True, help="Write the baseline anew; this run is judged by it as it was."
)
verbose = click.option(
    "-v", "--verbose", is_flag=True, help="Name every rule that did not pass, and show each cause whole."
)
quiet = click.option(
    "-q", "--quiet", is_flag=True, help="Print the verdict alone, and what breaks the gate beside rules."
)
label = click.option(
    "--label",
    metavar="TEXT",
    help="What gonogo matrix calls the target, as 'my-server 1.2'; kept in the JSON report.",
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
    help="Write one HTML page that needs nothing else; - is stdout.",
)
