"""Which processes there are, and which of them this is, as mlx.launch or mpirun said in the environment."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx

from gonogo_server.errors import BadSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

MESSAGE_BYTES: Final = 1024
"""Of what process 0 tells before there are connections to it."""


@dataclass(frozen=True, slots=True)
class Group:
    """`rank` is the number of this process among `size`; `handle` is what mlx computes sums over."""

    rank: int
    size: int
    handle: mx.distributed.Group

    def share(self, said: Any) -> Any:  # noqa: ANN401 - JSON
        """What process 0 says (JSON, at most `MESSAGE_BYTES`), in each process; all have to call it.

        Raises `BadSettings` where one of them is gone.
        """
        text = json.dumps(said).encode().ljust(MESSAGE_BYTES) if self.rank == 0 else bytes(MESSAGE_BYTES)
        try:
            total = mx.distributed.all_sum(mx.array(list(text), mx.uint8), group=self.handle).tolist()
        except RuntimeError as error:
            raise BadSettings(
                f"One of the processes ended before all had begun ({error}): see what it said."
            ) from None
        return json.loads(bytes(total))  # type: ignore[arg-type]  # a list, as it has one dimension


def join(environ: Mapping[str, str] = os.environ) -> Group | None:
    """The group that this process was started in, once all have joined; None where it is the only one.

    Raises `BadSettings` where there should be others that cannot be reached.
    """
    hosts = environ.get("MLX_HOSTFILE")
    # What mlx.launch writes for a ring of one, and mlx cannot read.
    if hosts is not None and Path(hosts).is_file() and not Path(hosts).read_text().strip():
        return None
    try:
        handle = mx.distributed.init(strict=True)
    except RuntimeError as error:
        raise BadSettings(
            f"This process was started as one of several, and they do not find each other: {error}."
            " Start all of them with mlx.launch."
        ) from None
    return Group(handle.rank(), handle.size(), handle) if handle.size() > 1 else None


def leader_host(environ: Mapping[str, str] = os.environ) -> str:
    """The address of process 0 by which the others reach it, as far as the environment says it."""
    if (path := environ.get("MLX_HOSTFILE")) is not None:
        first = json.loads(Path(path).read_text())[0]
        return _host(first if isinstance(first, str) else first[0])
    if (coordinator := environ.get("MLX_JACCL_COORDINATOR")) is not None:
        return _host(coordinator)
    return environ.get("NCCL_HOST_IP") or socket.gethostname()


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")
