"""`gonogo init`: write a commented gonogo.toml, which `gonogo check` reads."""

import asyncio
import json
from pathlib import Path

import click

from gonogo.addresses import shown, tidy
from gonogo.cli.config_file import NAME
from gonogo.cli.printing import show
from gonogo.discovery import discover
from gonogo.errors import UsageError

TEMPLATE = """\
# Options of `gonogo check` in this folder; options on the command line take precedence.
# Do not put an API key here: set the variable GONOGO_API_KEY.

# The base URL of the endpoint, without /chat/completions.
{url}

# The models to check. Default: the first model that the endpoint lists.
# model = ["my-model"]
# embedding-model = "my-embedding-model"

# Rules or groups: judge only these, skip these, and no-go if these are unsupported.
# only = ["chat", "tools"]
# skip = ["embeddings"]
# require = ["tools", "structured"]

# The rule set. Pin it so that a new version of gonogo does not change the verdict.
# rules = "2026-12"

# Treat warnings as no-go.
# strict = true

# Maximum parallel requests, and the time limit for one answer in seconds.
# concurrency = 8
# timeout = 60

# Extra fields of every generation request, and headers of every request; header-env reads the value from a variable.
# extra-body = {{ chat_template_kwargs = {{ enable_thinking = false }} }}
# header = {{ OpenAI-Organization = "org-1" }}
# header-env = {{ api-key = "AZURE_KEY" }}

# Accepted broken rules with their reasons; create the file with --update-baseline.
# baseline = "gonogo-baseline.toml"

# Reports to write.
# json = "gonogo.json"
# junit = "gonogo.xml"
# markdown = "gonogo.md"
# html = "gonogo.html"
"""
EXAMPLE = '# url = "http://127.0.0.1:8000/v1"'


@click.command()
@click.argument(
    "base_url",
    required=False,
    metavar="[BASE_URL]",
    help="The base URL. Default: a local server that answers.",
)
@click.option("--force", is_flag=True, help=f"Replace an existing {NAME}.")
def init(*, base_url: str | None, force: bool) -> None:
    """Write a commented gonogo.toml for gonogo check.

    Without a base URL, it looks for servers on the usual local ports and writes the first that answers.
    """
    path = Path(NAME)
    if path.exists() and not force:
        raise UsageError(f"{NAME} already exists; --force replaces it.")
    url = tidy(base_url) if base_url else _found()
    if url is not None and shown(url) != url:
        raise UsageError(f"The query of this URL contains a secret, which must not be in {NAME}.")
    line = EXAMPLE if url is None else f"url = {json.dumps(url, ensure_ascii=False)}"
    try:
        path.write_text(TEMPLATE.format(url=line), encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"Cannot write {NAME}: {error.strerror}.") from error
    about = f" with {url}" if url else "; found no local server, so set its url there"
    show([f"Wrote {NAME}{about}. Run: gonogo check"])


def _found() -> str | None:
    found = asyncio.run(discover())
    return found[0].base_url if found else None
