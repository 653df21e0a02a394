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
# What `gonogo check` asks in this folder; options on the command line win over these.
# A key does not belong here: set the variable GONOGO_API_KEY.

# The base URL of the endpoint, which ends before /chat/completions.
{url}

# The models to judge; the first that the endpoint lists where none is named.
# model = ["my-model"]
# embedding-model = "my-embedding-model"

# Rules or groups of rules: judge only these, leave these out, and no-go where these are not supported.
# only = ["chat", "tools"]
# skip = ["embeddings"]
# require = ["tools", "structured"]

# The rules of one set, so that a new version of gonogo does not change the verdict.
# rules = "2026-12"

# Warnings are a no-go too.
# strict = true

# Requests under way at a time, and seconds that one answer may take.
# concurrency = 8
# timeout = 60

# Fields that every generation gets, and headers of every request; header-env takes the value from a variable.
# extra-body = {{ chat_template_kwargs = {{ enable_thinking = false }} }}
# header = {{ OpenAI-Organization = "org-1" }}
# header-env = {{ api-key = "AZURE_KEY" }}

# Broken rules that are accepted for now, each with its reason: write it with --update-baseline.
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
    "base_url", required=False, metavar="[BASE_URL]", help="The endpoint; else one that is found."
)
@click.option("--force", is_flag=True, help=f"Replace {NAME} where there is one.")
def init(*, base_url: str | None, force: bool) -> None:
    """Write a commented gonogo.toml, which gonogo check reads.

    Without a base URL the usual local ports are asked, and the first server that answers is written down.
    """
    path = Path(NAME)
    if path.exists() and not force:
        raise UsageError(f"{NAME} is there already; --force replaces it.")
    url = tidy(base_url) if base_url else _found()
    if url is not None and shown(url) != url:
        raise UsageError(f"The query of this URL holds a secret, which does not belong in {NAME}.")
    line = EXAMPLE if url is None else f"url = {json.dumps(url, ensure_ascii=False)}"
    try:
        path.write_text(TEMPLATE.format(url=line), encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{NAME} cannot be written: {error.strerror}.") from error
    about = f" with {url}" if url else "; no local server was found, so write its url there"
    show([f"Wrote {NAME}{about}. Run: gonogo check"])


def _found() -> str | None:
    found = asyncio.run(discover())
    return found[0].base_url if found else None
