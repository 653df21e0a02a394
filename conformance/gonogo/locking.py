"""One writer per file: two runs that write the same evidence file would destroy both records."""

from __future__ import annotations

import os
import sys
from stat import S_ISREG
from typing import IO, Final

if sys.platform != "win32":
    import fcntl

OTHERS: Final = "is in use by another run: wait until it ends, or give another file"
"""The end of the message for a second writer."""


def alone(file: IO[str]) -> bool:
    """Lock this file; returns False if another process holds the lock. Closing the file releases it."""
    if sys.platform == "win32" or not S_ISREG(os.fstat(file.fileno()).st_mode):
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # the file system has no locks
        return True
    return True


def empty(file: IO[str]) -> None:
    """Truncate a file; a device is left alone."""
    if S_ISREG(os.fstat(file.fileno()).st_mode):
        file.truncate(0)
