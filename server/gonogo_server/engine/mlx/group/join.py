"""The processes of a group and the rank of this one, from the environment of mlx.launch or mpirun."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
import numpy as np

from gonogo_server.errors import BadSettings, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

FACTS_BYTES: Final = 1024
"""Size of the message that each process sends before any of them starts."""


@dataclass(slots=True)
class Group:
    """A process with the number `rank` of `size`; `handle` is the group of mlx that sums are computed over."""

    rank: int
    size: int
    handle: mx.distributed.Group
    reported: bool = False
    """Whether this process has reported that it is ready, or why it is not."""
    agreed: bool = False
    """Whether all processes are ready with the same facts."""

    def sum(self, numbers: mx.array) -> list[int]:
        """The sum of `numbers` (one dimension) over all processes, in each of them. All processes have to call it."""
        return mx.distributed.all_sum(numbers, group=self.handle).tolist()  # type: ignore[return-value]  # see above

    def share(self, message: bytes, length: int) -> Any:  # noqa: ANN401 - JSON
        """The parsed `message` (JSON, `length` bytes) of process 0, in each process. All processes have to call it."""
        text = message if self.rank == 0 else bytes(length)
        return json.loads(bytes(self.sum(mx.array(np.frombuffer(text, np.uint8)))))

    def agree(self, facts: str) -> None:
        """Report to the other processes that this one is ready with these facts. All processes have to call it, once.

        Raises `ModelUnavailable` if a process is not ready or has other facts, and `BadSettings` if one has exited.
        """
        for rank, other in enumerate(self._gather({"facts": facts})):
            if "failure" in other:
                raise ModelUnavailable(f"Process {rank} cannot start: {other['failure']}")
            if other["facts"] != facts:
                raise ModelUnavailable(
                    f"Process {rank} has another model, or other versions or limits, than process {self.rank}"
                    f" ({other['facts']}, not {facts}): every machine needs the same files, packages and options."
                )
        self.agreed = True

    def give_up(self, reason: str) -> None:
        """Report to the other processes that this one cannot start, unless it has reported already."""
        if not self.reported:
            with suppress(BadSettings):
                self._gather({"failure": reason})

    def _gather(self, message: Mapping[str, str]) -> list[dict[str, str]]:
        """The messages of all processes, in the order of their ranks."""
        self.reported = True
        text = json.dumps(message).encode()
        if len(text) > FACTS_BYTES:
            text = json.dumps({"failure": "see its output."}).encode()
        slots = np.zeros((self.size, FACTS_BYTES), np.uint8)
        slots[self.rank, : len(text)] = list(text)
        try:
            total = bytes(self.sum(mx.array(slots.reshape(-1))))
        except RuntimeError as error:
            raise BadSettings(
                f"One of the processes exited before all had started ({error}): see its output."
            ) from None
        return [
            json.loads(total[at : at + FACTS_BYTES].rstrip(b"\0")) for at in range(0, len(total), FACTS_BYTES)
        ]


def join(environ: Mapping[str, str] = os.environ) -> Group | None:
    """Wait for all processes of the group that this one belongs to; return None if it is the only one.

    Raises `BadSettings` if the others cannot be reached.
    """
    hosts = environ.get("MLX_HOSTFILE")
    # mlx.launch writes an empty file for a ring of one, which mlx cannot read.
    if hosts is not None and Path(hosts).is_file() and not Path(hosts).read_text().strip():
        return None
    try:
        handle = mx.distributed.init(strict=True)
    except RuntimeError as error:
        raise BadSettings(
            f"This process was started as one of several, but cannot connect to the others: {error}. "
            "Start all of them with mlx.launch."
        ) from None
    return Group(handle.rank(), handle.size(), handle) if handle.size() > 1 else None
