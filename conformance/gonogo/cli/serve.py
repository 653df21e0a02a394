"""`gonogo serve`: the reference server with its own options, and --fault to imitate a broken server."""

import argparse
import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import click

from gonogo import serving
from gonogo.cli.printing import show
from gonogo.errors import UsageError

if TYPE_CHECKING:
    from gonogo.faults.playing import Playable

# All arguments are passed to the server, including --help.
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
PORT = 8000
KEY_VARIABLE = "GONOGO_SERVER_API_KEY"
HELP = (
    "",
    "faults:",
    "  --fault NAME          misbehave on purpose, to test a client: the name of a fault, the id of a rule",
    (
        "                        (plays the first fault that breaks it), or the name of a cause; gonogo "
        "faults lists them"
    ),
)


@click.command(context_settings=PASS_ON, add_help_option=False)
@click.pass_context
def serve(context: click.Context) -> None:
    """Serve models on this machine; see gonogo serve --help."""
    if any(argument.partition("=")[0] == "--fault" for argument in context.args):
        given, rest = _parser().parse_known_args(context.args)
        raise click.exceptions.Exit(_serve_broken(given, rest))
    try:
        status = serving.serve(context.args)
    finally:
        if {"-h", "--help"} & set(context.args):
            show(HELP)
    raise click.exceptions.Exit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gonogo serve",
        usage="gonogo serve --fault NAME [--host HOST] [--port PORT] [OTHER OPTIONS]",
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("--fault", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT)
    return parser


def _serve_broken(given: argparse.Namespace, rest: Sequence[str]) -> int:
    """Serve with a fault until a signal arrives: a conforming server on loopback, and a proxy with the fault."""
    from gonogo.faults.playing import found  # noqa: PLC0415 - loads every rule; not needed without a fault

    first, *others = found(given.fault)
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # until the proxy listens; if it fails, the conforming server is stopped
    with serving.started(rest) as sound:
        asyncio.run(_stay(sound, first, given.host, given.port, _told(first, others)))
    return 0


def _told(fault: "Playable", others: "Sequence[Playable]") -> list[str]:
    lines = [f"fault: {fault.name} ({fault.imitates})"]
    if fault.rules:
        lines.append(f"rules that catch it: {', '.join(sorted(fault.rules))}")
    if any(rule.startswith("keys.") for rule in fault.turns) and not os.environ.get(KEY_VARIABLE):
        lines.append(f"this fault needs a server with a key: set {KEY_VARIABLE}")
    lines += [f"another fault of this rule: {other.name}" for other in others]
    return [f"gonogo serve: {line}" for line in lines]


async def _stay(sound: str, fault: "Playable", host: str, port: int, told: Sequence[str]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows has only Ctrl-C
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _listening(sound, fault, host, port) as base_url:
        show([*told, f"gonogo serve: listening on {base_url}"])
        await stop.wait()


@asynccontextmanager
async def _listening(sound: str, fault: "Playable", host: str, port: int) -> AsyncIterator[str]:
    """The base URL of the broken server. Raises UsageError if the address is not available."""
    from gonogo.faults.proxy import proxied  # noqa: PLC0415 - see above

    broken = proxied(sound, fault.begin(), host=host, port=port)
    try:
        base_url = await broken.__aenter__()
    except (OSError, OverflowError) as error:
        why = (
            os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error).rstrip(".")
        )
        raise UsageError(
            f"Cannot listen on {host} port {port}: {why}. Choose another address with --host and "
            "--port (0 picks a free port)."
        ) from error
    try:
        yield base_url
    finally:
        await broken.__aexit__(None, None, None)
