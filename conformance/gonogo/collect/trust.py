"""Trusted certificates: those in a file, or any; and advice on certificate errors."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from gonogo.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def trust(ca_file: Path | None = None, *, insecure: bool = False) -> ssl.SSLContext | None:
    """The TLS context: with `ca_file` only its certificates are trusted, with `insecure` none is verified.

    None if neither is given. Raises UsageError if the file has no certificates, or if both are given.
    """
    if ca_file is not None and insecure:
        raise UsageError("--ca-file and --insecure exclude each other; remove one of them.")
    if insecure:
        return _trusting_anybody()
    return None if ca_file is None else _trusting(ca_file)


def told_of_tls(error: BaseException) -> str | None:
    """The TLS problem as a clause; None if the error is not about TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{_CERTIFICATE}: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"{_NO_TLS} ({str(getattr(error, 'reason', error)).lower().replace('_', ' ')})"
    # anyio's message if the peer closed during the handshake.
    return f"{_NO_TLS} (the connection closed)" if type(error).__name__ == "EndOfStream" else None


def advice_on_tls(message: str) -> str | None:
    """Advice on the problem that `told_of_tls` returned; None for any other message."""
    if _NO_TLS in message:
        return "does it expect http:// instead?"
    if _CERTIFICATE not in message:
        return None
    if "expired" in message or "not yet valid" in message:
        return "renew it, or skip verification with --insecure."
    if "mismatch" in message or "not valid for" in message:
        return "use a name that the certificate covers, or skip verification with --insecure."
    return "give the certificates to trust with --ca-file, or skip verification with --insecure."


_CERTIFICATE, _NO_TLS = "its certificate is not trusted", "it does not speak a supported TLS version"


def _trusting(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except ssl.SSLError as error:  # an OSError too, so it comes first
        raise UsageError(f"--ca-file {ca_file} contains no PEM certificates.") from error
    except OSError as error:
        raise UsageError(f"Cannot read --ca-file {ca_file}: {error.strerror}.") from error


def _trusting_anybody() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
