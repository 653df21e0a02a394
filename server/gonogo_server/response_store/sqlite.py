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
"""The version of the table, stored as `user_version` in the file."""

# Deleted data is overwritten, and the file shrinks.
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
    """Stores responses in the file `path`, or in memory (None) until it is closed.

    A response is deleted `seconds` after it was saved or last continued. Beyond `count` responses or `size` bytes, the
    least recently used are deleted. Each method raises `StoreFailed` if SQLite fails, for example on a full disk.
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
        """Store the record, then delete expired and surplus ones; False if the record alone exceeds the size."""
        if record.size > self._size:
            return False
        now = self._clock()
        texts = (record.input, record.response)
        await self._run(SAVE, (record.id, record.owner, record.previous, now, record.size, *texts))
        await self._run(DELETE_EXPIRED, (self._oldest,))
        await self._run(DELETE_SURPLUS, (self._count, self._size))
        return True

    async def find(self, response_id: str, owner: str) -> str | None:
        """The response object as JSON; None if `owner` has no response of this id."""
        rows = await self._run(FIND, (response_id, owner, self._oldest))
        return rows[0][0] if rows else None

    async def delete(self, response_id: str, owner: str) -> bool:
        """Delete a response; False if `owner` has no response of this id."""
        return bool(await self._run(DELETE, (response_id, owner, self._oldest)))

    async def turns(self, response_id: str, owner: str) -> Sequence[tuple[str, str]] | None:
        """The whole conversation up to a response: `input` and `response` of each turn, oldest first.

        None if `owner` has no response of this id, or if an earlier turn was deleted. All turns count as used.
        """
        mine = (owner, self._oldest)
        rows = await self._run(TURNS, (response_id, *mine, *mine))
        if not rows or rows[0][1] is not None:
            return None
        await self._run(USE, (self._clock(), json.dumps([identity for identity, *_ in rows])))
        return [(given, said) for _, _, given, said in rows]

    async def close(self) -> None:
        """Close the connection; the store cannot be used afterwards."""
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
        """Opened on first use: its thread has to be ended by `close`, and a server may fail before that."""
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
    """Create the file if needed, readable only by its owner. Raises `BadSettings` if it cannot be a store."""
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
        raise BadSettings(f"Responses cannot be stored in {path}: {why}. Use another file.") from None
    raise BadSettings(f"{path} is another kind of database, or of another version: use another file.")
