"""The connections on which process 0 tells the others what to do: a line of JSON for each order.

They are not mlx's own, as who waits in one of its sums keeps a core busy (ring, mlx 0.32.4), and servers wait a lot;
and as a process that ends is noticed here by all others, whatever it was doing, with any backend.
"""

from __future__ import annotations

import json
import secrets
import select
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.engine.mlx.group.join import leader_host
from gonogo_server.errors import BadSettings, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo_server.engine.mlx.group.join import Group

JOIN_SECONDS: Final = 60.0
"""How long process 0 waits for the others, which are at most about to connect."""
GREETING_SECONDS: Final = 5.0
"""How long it listens to one that has connected and does not say who it is."""
GRACE_SECONDS: Final = 10.0
"""How long a step may go on that one of the processes has left: with some backends for ever."""
KEY_BYTES: Final = 32
KEEPALIVE: Final = {
    "TCP_KEEPIDLE": 10,
    "TCP_KEEPALIVE": 10,
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 25_000,
}
"""With these (seconds, a number, milliseconds; no system has all) a machine that went dark is noticed in 25 seconds."""
STOP: Final = "stop"
"""The order after which there is none."""

Order = list[Any]
"""What to do (see `part.Part`), and with what."""


class Line:
    """One end of a connection; what is said are single lines of JSON."""

    def __init__(self, connection: socket.socket) -> None:
        # An order would wait for the acknowledgement of the one before it otherwise, which may take 40 ms.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE.items():
            if hasattr(socket, name):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        connection.settimeout(None)
        self._connection = connection
        self._lines = connection.makefile("rb")

    def fileno(self) -> int:
        """For `select`."""
        return self._connection.fileno()

    def say(self, said: Any) -> None:  # noqa: ANN401 - JSON
        """Send it. Raises `OSError` where nobody is at the other end."""
        self._connection.sendall(json.dumps(said).encode() + b"\n")

    def hear(self) -> Any:  # noqa: ANN401 - JSON
        """What was said next; None once nothing more can come."""
        try:
            line = self._lines.readline()
        except OSError:
            return None
        return json.loads(line) if line.endswith(b"\n") else None

    def end(self) -> None:
        """Have both ends hear that nothing more comes."""
        with suppress(OSError):  # the other end was first
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it."""
        self._lines.close()
        self._connection.close()


class Orders:
    """Process 0's end of the connections to all others, in the order of their ranks."""

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines

    def tell(self, *order: Any) -> None:  # noqa: ANN401 - JSON
        """Have the others do it. Raises `OSError` where one of them is gone."""
        for line in self._lines:
            line.say(order)

    def answers(self) -> Iterator[tuple[int, Any]]:
        """What each of the others says next, with its rank; None where it is gone."""
        yield from enumerate((line.hear() for line in self._lines), 1)

    def wait(self) -> int:
        """The rank of the first process that is gone: waits until one is. The others say nothing unasked."""
        ready, _, _ = select.select(self._lines, [], [])
        return 1 + self._lines.index(ready[0])

    def end(self) -> None:
        """Say nothing more; `wait` returns."""
        for line in self._lines:
            line.end()

    def close(self) -> None:
        """Let go of the connections."""
        for line in self._lines:
            line.close()


def command(group: Group) -> Orders:
    """In process 0: the connections, once all others have made theirs.

    Raises `BadSettings` where the address is not one of this machine, or somebody does not come.
    """
    key = secrets.token_hex(KEY_BYTES)
    host = leader_host()
    try:
        family = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0][0]
        with socket.create_server((host, 0), family=family) as server:
            group.share([host, server.getsockname()[1], key])
            server.settimeout(JOIN_SECONDS)
            return Orders(_accept(server, key, group.size - 1))
    except OSError as error:
        raise BadSettings(
            f"The other processes cannot connect to this one at {host}: {error}. The host file has to begin"
            " with an address of the machine of process 0 that the other machines reach."
        ) from None


def obey(group: Group) -> Line:
    """In every other process: its end of the connection to process 0. Raises `BadSettings` where there is none."""
    host, port, key = group.share(None)
    try:
        line = Line(socket.create_connection((host, port), timeout=JOIN_SECONDS))
    except OSError as error:
        raise BadSettings(f"Process 0 cannot be reached at {host} port {port}: {error}.") from None
    line.say([key, group.rank])
    return line


def agree(orders: Orders, facts: str) -> None:
    """In process 0, once all have their part of the model: make sure that the parts are of the same.

    Raises `ModelUnavailable` with the first reason not to begin.
    """
    for rank, answer in orders.answers():
        if answer is None:
            raise ModelUnavailable(
                f"Process {rank} ended before it had its part of the model: see what it said."
            )
        if answer != facts:
            raise ModelUnavailable(
                f"Process {rank} has another model, or other versions, than process 0 ({answer}, not {facts}):"
                " every machine needs the same files and packages."
            )


def _accept(server: socket.socket, key: str, count: int) -> list[Line]:
    lines: dict[int, Line] = {}
    while len(lines) < count:
        connection, _ = server.accept()
        line = Line(connection)
        connection.settimeout(GREETING_SECONDS)
        # Whoever else can reach the port does not know the key, which went over mlx's own connections.
        match _greeting(line):
            case [str(given), int(rank)] if secrets.compare_digest(given, key):
                connection.settimeout(None)
                lines[rank] = line
            case _:
                line.close()
    return [lines[rank] for rank in sorted(lines)]


def _greeting(line: Line) -> Any:  # noqa: ANN401 - JSON
    try:
        return line.hear()
    except ValueError:
        return None
