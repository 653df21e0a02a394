"""Whose certificates are trusted: those of a file, or everybody's."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from gonogo.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def trust(ca_file: Path | None = None, *, insecure: bool = False) -> ssl.SSLContext | None:
    """The context of TLS: with `ca_file` its certificates alone count, with `insecure` none is looked at.

    None where neither is asked for. Raises UsageError where the file holds no certificates, and where both are.
    """
    if ca_file is not None and insecure:
        raise UsageError(
            "--ca-file says whom to trust, and --insecure trusts anybody; leave one of them out."
        )
    if insecure:
        return _trusting_anybody()
    return None if ca_file is None else _trusting(ca_file)


def _trusting(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except ssl.SSLError as error:  # an OSError too, so it comes first
        raise UsageError(f"--ca-file {ca_file} holds no certificates in PEM form.") from error
    except OSError as error:
        raise UsageError(f"--ca-file {ca_file} cannot be read: {error.strerror}.") from error


def _trusting_anybody() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
