"""The options that make the suite a faulty upstream behind a gateway."""

import click

from gonogo.cli.printing import say
from gonogo.errors import UsageError
from gonogo.stimuli import plays
from gonogo.upstream import Behind

upstream_faults = click.option(
    "--upstream-faults",
    is_flag=True,
    help=(
        "Check a gateway: start an upstream that plays faults, wait for the gateway to use it, and judge "
        "only the group gateway."
    ),
)
upstream_host = click.option(
    "--upstream-host", metavar="HOST", help="The address of the faulty upstream. Default: 127.0.0.1."
)
upstream_port = click.option(
    "--upstream-port",
    metavar="N",
    type=click.IntRange(0, 65535),
    help="The port of the faulty upstream. Default: a free port.",
)
upstream_wait = click.option(
    "--upstream-wait",
    metavar="S",
    type=click.FloatRange(min=0.001),
    help="Seconds to wait for the first request through the gateway. Default: 120.",
)


def asked_for(*, wanted: bool, host: str | None, port: int | None, wait: float | None) -> Behind | None:
    """The upstream that the options request; None without --upstream-faults. Raises UsageError for invalid options."""
    if not wanted:
        if (host, port, wait) != (None, None, None):
            raise UsageError("--upstream-host, --upstream-port and --upstream-wait need --upstream-faults.")
        return None
    return Behind(host or "127.0.0.1", port or 0, wait or 120.0, _tell)


def refuse_beside(base_url: str | None, models: tuple[str, ...], *, fuzz: bool, resume: bool) -> None:
    """Raise UsageError for options that cannot be combined with --upstream-faults."""
    if base_url is None:
        raise UsageError("--upstream-faults checks a gateway: give its base URL.")
    if len(models) > 1:
        raise UsageError(
            "--upstream-faults uses one model, the one of the upstream; give --model at most once."
        )
    if fuzz or resume:
        raise UsageError(
            f"--upstream-faults and {'--fuzz' if fuzz else '--resume'} exclude each other; remove one "
            "of them."
        )


def _tell(url: str) -> None:
    say(
        f"Point a provider of your gateway at {url}/v1, with the model {plays.MODEL} and the key {plays.KEY}."
    )
    say(
        f"For a second provider, if the gateway supports one: {url}/second/v1, with the model "
        f"{plays.SECOND_MODEL} and the key {plays.SECOND_KEY}."
    )
    say("Waiting for the gateway …")
