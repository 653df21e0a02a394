"""`gonogo serve`: the reference server; its options are its own."""

import typer

from gonogo import serving

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""How the command is registered, so that every argument reaches the server, --help among them."""


def serve(context: typer.Context) -> None:
    """Serve models on this machine; gonogo serve --help says how."""
    raise typer.Exit(serving.serve(context.args))
