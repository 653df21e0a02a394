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
"""Of what each process says before any of them begins."""


@dataclass(slots=True)
class Group:
    """`rank` is the number of this process among `size`; `handle` is what mlx computes sums over."""

    rank: int
    size: int
    handle: mx.distributed.Group
    told: bool = False
    """Whether all have told each other that they are ready, or why not."""
    agreed: bool = False
    """Whether all are ready, for the same."""

    def sum(self, numbers: mx.array) -> list[int]:
        """The sum of what all processes give, in each of them; all have to call it. `numbers` has one dimension."""
        return mx.distributed.all_sum(numbers, group=self.handle).tolist()  # type: ignore[return-value]  # see above

    def share(self, said: Any, length: int) -> Any:  # noqa: ANN401 - JSON
        """What process 0 says, in each process; `length` is that of its JSON, in bytes. All have to call it."""
        text = said if self.rank == 0 else bytes(length)
        return json.loads(bytes(self.sum(mx.array(np.frombuffer(text, np.uint8)))))

    def agree(self, facts: str) -> None:
        """Tell the other processes that this one is ready, and with what; all have to call it, once.

        Raises `ModelUnavailable` if one of them is not, or with something else, `BadSettings` where one is gone.
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
        """Tell the other processes that this one cannot begin, where they may still wait for it."""
        if not self.told:
            with suppress(BadSettings):
                self._gather({"failure": reason})

    def _gather(self, said: Mapping[str, str]) -> list[dict[str, str]]:
        """What each process says, in the order of their ranks."""
        self.told = True
        text = json.dumps(said).encode()
        if len(text) > FACTS_BYTES:
            text = json.dumps({"failure": "it says why."}).encode()
        slots = np.zeros((self.size, FACTS_BYTES), np.uint8)
        slots[self.rank, : len(text)] = list(text)
        try:
            told = bytes(self.sum(mx.array(slots.reshape(-1))))
        except RuntimeError as error:
            raise BadSettings(
                f"One of the processes exited before all had started ({error}): see its output."
            ) from None
        return [
            json.loads(told[at : at + FACTS_BYTES].rstrip(b"\0")) for at in range(0, len(told), FACTS_BYTES)
        ]


def join(environ: Mapping[str, str] = os.environ) -> Group | None:
    """The group that this process was started in, once all have joined; None if it is the only one.

    Raises `BadSettings` if there should be others that cannot be reached.
    """
    hosts = environ.get("MLX_HOSTFILE")
    # What mlx.launch writes for a ring of one, and mlx cannot read.
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
