"""The store of responses in SQLite."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import aiosqlite

from gonogo_server.errors import BadSettings, StoreFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gonogo_server.response_store.record import Record

TABLE: Final = "responses"
VERSION: Final = 1
"""Of the table, as `user_version` says it in a file."""

# What is deleted is overwritten, and the file gets smaller by it.
SCHEMA: Final = f"""
PRAGMA auto_vacuum = FULL;
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS {TABLE} (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    previous TEXT,
    used REAL NOT NULL,
    bytes INTEGER NOT NULL,
    input TEXT NOT NULL,
    response TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_use ON {TABLE} (used, bytes);
PRAGMA user_version = {VERSION};
"""

SAVE: Final = """
INSERT INTO responses (id, owner, previous, used, bytes, input, response) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
DELETE_EXPIRED: Final = "DELETE FROM responses WHERE used <= ?"
DELETE_SURPLUS: Final = """
DELETE FROM responses WHERE rowid IN (
    SELECT row FROM (
        SELECT rowid AS row, ROW_NUMBER() OVER latest AS number, SUM(bytes) OVER latest AS total
        FROM responses
        WINDOW latest AS (ORDER BY used DESC, rowid DESC ROWS UNBOUNDED PRECEDING)
    )
    WHERE number > ? OR total > ?
)
"""
FIND: Final = "SELECT response FROM responses WHERE id = ? AND owner = ? AND used > ?"
DELETE: Final = "DELETE FROM responses WHERE id = ? AND owner = ? AND used > ? RETURNING id"
TURNS: Final = """
WITH RECURSIVE turns (id, previous, input, response, place) AS (
    SELECT id, previous, input, response, 0 FROM responses WHERE id = ? AND owner = ? AND used > ?
    UNION ALL
    SELECT one.id, one.previous, one.input, one.response, place + 1 FROM responses AS one
    JOIN turns ON one.id = turns.previous
    WHERE one.owner = ? AND one.used > ?
)
SELECT id, previous, input, response FROM turns ORDER BY place DESC
"""
USE: Final = "UPDATE responses SET used = ? WHERE id IN (SELECT value FROM json_each(?))"


class ResponseStore:
    """Stores responses in the file `path`; None: in memory, until it is closed.

    A response is deleted `seconds` after it was saved or last continued. Where there are more than `count`, or more
    than `size` bytes, the least recently used are deleted. Each method raises `StoreFailed` where SQLite fails, as on
    a full disk.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        seconds: float,
        count: int,
        size: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._seconds = seconds
        self._count = count
        self._size = size
        self._clock = clock
        self._opening = asyncio.Lock()
        self._opened: aiosqlite.Connection | None = None
        self._closed = False

    async def save(self, record: Record) -> bool:
        """Store it, and delete what has expired or is over the bounds; False if it is too large to be stored at all."""
        if record.size > self._size:
            return False
        now = self._clock()
        texts = (record.input, record.response)
        await self._run(SAVE, (record.id, record.owner, record.previous, now, record.size, *texts))
        await self._run(DELETE_EXPIRED, (self._oldest,))
        await self._run(DELETE_SURPLUS, (self._count, self._size))
        return True

    async def find(self, response_id: str, owner: str) -> str | None:
        """The object of a response as JSON; None if `owner` has none of this id."""
        rows = await self._run(FIND, (response_id, owner, self._oldest))
        return rows[0][0] if rows else None

    async def delete(self, response_id: str, owner: str) -> bool:
        """Delete a response; False where `owner` has none of this id."""
        return bool(await self._run(DELETE, (response_id, owner, self._oldest)))

    async def turns(self, response_id: str, owner: str) -> Sequence[tuple[str, str]] | None:
        """The conversation that a response ends, from its beginning: `input` and `response` of each turn.

        None if `owner` has no response of this id, or not all that it continues any more. All of it counts as used.
        """
        mine = (owner, self._oldest)
        rows = await self._run(TURNS, (response_id, *mine, *mine))
        if not rows or rows[0][1] is not None:
            return None
        await self._run(USE, (self._clock(), json.dumps([identity for identity, *_ in rows])))
        return [(given, said) for _, _, given, said in rows]

    async def close(self) -> None:
        """Close the connection; nothing can be stored or read any more."""
        self._closed = True
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()

    @property
    def _oldest(self) -> float:
        return self._clock() - self._seconds

    async def _run(self, statement: str, values: Sequence[object]) -> list[Any]:
        try:
            connection = await self._connection()
            return list(await connection.execute_fetchall(statement, values))
        except sqlite3.Error as error:
            raise StoreFailed(str(error)) from error

    async def _connection(self) -> aiosqlite.Connection:
        """Opened by the first who needs it: its thread has to be ended by `close`, and not all servers come so far."""
        async with self._opening:
            if self._closed:
                raise StoreFailed("the server is stopping")
            if self._opened is None:
                database = ":memory:" if self._path is None else self._path
                opened = await aiosqlite.connect(database, isolation_level=None)
                try:
                    await opened.executescript(SCHEMA)
                    await opened.execute_fetchall(DELETE_EXPIRED, (self._oldest,))
                except BaseException:
                    await opened.close()
                    raise
                self._opened = opened
            return self._opened


def check_file(path: Path) -> None:
    """Make the file, for its owner alone, if there is none. Raises `BadSettings` where it cannot be one of these."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(path)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            tables = [
                name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            ]
            if (version, tables) in ((0, []), (VERSION, [TABLE])):
                connection.executescript(SCHEMA)
                return
    except (OSError, sqlite3.Error) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise BadSettings(f"Responses cannot be stored in {path}: {why}. Name another file.") from None
    raise BadSettings(f"{path} is a database of something else, or of another version: name another file.")
