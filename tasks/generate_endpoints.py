# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Generate docs/endpoints.md, the matrix of endpoints; with --check compare it, and exit 1 if it differs.

Operations, schemas, statuses and streams are read from the contract, routes from the server's routers, and a provider's
operations from its class.
"""

import difflib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gonogo_contract
from gonogo_server.app import API
from gonogo_server.presets import PRESETS
from gonogo_server.providers.base import ChatOnly, Provider
from gonogo_server.providers.local.provider import Local
from gonogo_server.providers.upstream.provider import Upstream

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "endpoints.md"
COMMAND = "uv run python tasks/generate_endpoints.py"
METHODS = ("get", "post", "put", "patch", "delete")
STREAM = "text/event-stream"
PROVIDERS = {"models of this process": Local, "another server (`--provider`)": Upstream}

HEAD = f"""\
# Endpoints

What the contract defines and what `gonogo serve` supports. Generated from the code by
`{COMMAND}`.

Each path exists under `/v1`, for the default provider and for models named `PROVIDER/ID`, and under `/PROVIDER/v1`.
Schemas are components of the contract, which `/openapi.json` serves. An unsupported endpoint returns 404, an
unsupported method 405.
"""
PRESETS_HEAD = """\
## Known servers

`gonogo serve --provider NAME` connects to these at their usual address; `--provider NAME=URL` connects to any server.
[gateway.md](gateway.md) describes what the gateway repairs, emulates and refuses.
"""


def main(arguments: list[str]) -> int:
    """Write the file, or compare it with --check; returns the exit status."""
    if arguments not in ([], ["--check"]):
        print(f"usage: {COMMAND} [--check]", file=sys.stderr)
        return 2
    text = matrix()
    if not arguments:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    old = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    for line in difflib.unified_diff(
        old.splitlines(), text.splitlines(), "docs/endpoints.md", "generated", lineterm="", n=1
    ):
        print(line)
    if old != text:
        print(f"docs/endpoints.md is out of date; run {COMMAND}", file=sys.stderr)
    return int(old != text)


def matrix() -> str:
    """The text of docs/endpoints.md."""
    routes = set(_routes())
    operations = list(_operations())
    rows = [_operation(*each) for each in operations]
    served = [_served(method, path, operation, routes) for method, path, operation in operations]
    known = [
        (
            f"`{name}`",
            preset.url or "",
            preset.key_variable or "",
            ", ".join(f"`{rule}`" for rule in preset.broken),
        )
        for name, preset in PRESETS.items()
        if preset.url
    ]
    return "\n".join(
        [
            HEAD,
            *_table(("endpoint", "request", "answer", "events with `stream: true`", "statuses"), rows),
            "\n## Support\n",
            *_table(("endpoint", "`gonogo serve`", *PROVIDERS), served),
            "",
            PRESETS_HEAD,
            *_table(("name", "base URL", "key variable", "known broken rules"), known),
            "",
        ]
    )


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in gonogo_contract.document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def _operation(method: str, path: str, operation: dict[str, Any]) -> tuple[str, ...]:
    request = operation.get("requestBody", {}).get("content", {})
    answers = operation["responses"]["200"]["content"]
    return (
        _name(method, path),
        _schema(request.get("application/json", {}).get("schema")),
        _schema(answers["application/json"]["schema"]),
        _schema(_item(answers[STREAM])) if STREAM in answers else "",
        ", ".join(operation["responses"]),
    )


def _item(stream: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of the data of an event."""
    found = re.search(r"#/components/schemas/(\w+)", str(stream.get("itemSchema", stream.get("schema"))))
    return {"$ref": found[0]} if found else None


def _schema(schema: dict[str, Any] | None) -> str:
    reference = (schema or {}).get("$ref", "")
    return f"`{reference.rpartition('/')[2]}`" if reference else ""


def _routes() -> Iterator[tuple[str, str]]:
    """The method and path of each route, with parameters in the contract's notation."""
    for router in API:
        for route in router.routes:
            for method in getattr(route, "methods", ()):
                yield method, re.sub(r":\w+}", "}", getattr(route, "path", ""))


def _served(
    method: str, path: str, operation: dict[str, Any], routes: set[tuple[str, str]]
) -> tuple[str, ...]:
    if (method.upper(), path) not in routes:
        return (_name(method, path), "no", *("" for _ in PROVIDERS))
    own = _method_of(operation["operationId"])
    also = " (HEAD too)" if method == "get" and ("HEAD", path) in routes else ""
    return (
        _name(method, path),
        f"yes{also}",
        *("yes" if _has(provider, own) else "no" for provider in PROVIDERS.values()),
    )


def _has(provider: type, own: str) -> bool:
    """Whether the provider implements the operation instead of inheriting its refusal."""
    method = getattr(provider, own, None)
    return callable(method) and method is not getattr(ChatOnly, own, None)


def _method_of(operation: str) -> str:
    """The operation's name in the interface of providers. Raises LookupError if it has none."""
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
    for name in (snake, f"{snake}s"):
        if hasattr(Provider, name):
            return name
    raise LookupError(f"No provider has an operation called {snake}.")


def _name(method: str, path: str) -> str:
    return f"`{method.upper()} {path}`"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |".replace("|  |", "| |").replace("|  |", "| |")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
