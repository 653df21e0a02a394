"""`gonogo serve`: the reference server; its options are its own."""

import click

from gonogo import serving

# Every argument reaches the server, --help among them.
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@click.command(context_settings=PASS_ON, add_help_option=False)
@click.pass_context
def serve(context: click.Context) -> None:
    """Serve models on this machine; gonogo serve --help says how."""
    raise click.exceptions.Exit(serving.serve(context.args))
