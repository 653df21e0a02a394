"""The store of responses: its content, its owners, and what is deleted."""

from __future__ import annotations

import json
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest
from gonogo_server.errors import BadSettings, StoreFailed
from gonogo_server.response_store.record import Record
from gonogo_server.response_store.sqlite import ResponseStore, check_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@asynccontextmanager
async def opened(
    path: Path | None = None,
    *,
    seconds: float = 1000,
    count: int = 100,
    size: int = 10_000,
    clock: Clock | None = None,
) -> AsyncIterator[ResponseStore]:
    store = ResponseStore(path, seconds=seconds, count=count, size=size, clock=clock or Clock())
    try:
        yield store
    finally:
        await store.close()


def record(name: str, previous: str | None = None, owner: str = "me", text: str = "") -> Record:
    return Record(
        name, owner, previous, json.dumps([f"asked {name}"]), json.dumps({"said": name, "text": text})
    )


async def test_a_response_is_read_as_it_was_saved_until_it_is_deleted() -> None:
    async with opened() as store:
        one = record("a", text="é")
        await store.save(one)
        assert await store.find("a", "me") == one.response
        assert await store.delete("a", "me")
        assert await store.find("a", "me") is None
        assert not await store.delete("a", "me")


async def test_another_key_cannot_read_delete_or_continue_it() -> None:
    async with opened() as store:
        await store.save(record("a"))
        assert await store.find("a", "other") is None
        assert not await store.delete("a", "other")
        assert await store.turns("a", "other") is None
        await store.save(record("b", previous="a", owner="other"))
        assert await store.turns("b", "other") is None
        assert await store.find("a", "me") is not None


async def test_a_conversation_has_all_turns_in_their_order() -> None:
    async with opened() as store:
        turns = [record("a"), record("b", previous="a"), record("c", previous="b"), record("x", previous="a")]
        for turn in turns:
            await store.save(turn)
        assert await store.turns("c", "me") == [(turn.input, turn.response) for turn in turns[:3]]


async def test_a_conversation_without_its_beginning_cannot_be_continued() -> None:
    async with opened() as store:
        for turn in (record("a"), record("b", previous="a"), record("c", previous="b")):
            await store.save(turn)
        await store.delete("a", "me")
        assert await store.turns("c", "me") is None
        assert await store.find("c", "me") is not None


async def test_a_response_expires_and_a_use_of_it_puts_that_off() -> None:
    clock = Clock()
    async with opened(seconds=100, clock=clock) as store:
        await store.save(record("a"))
        await store.save(record("b"))
        clock.now += 60
        assert await store.turns("a", "me") is not None
        clock.now += 60
        assert await store.find("b", "me") is None
        assert await store.find("a", "me") is not None
        assert not await store.delete("b", "me")


@pytest.mark.parametrize(("count", "size"), [(2, 10_000), (100, 600)], ids=["number", "bytes"])
async def test_over_a_bound_the_longest_unused_go(count: int, size: int) -> None:
    async with opened(count=count, size=size) as store:
        for name in ("a", "b"):
            await store.save(record(name, text="t" * 200))
        assert await store.turns("a", "me") is not None
        await store.save(record("c", text="t" * 200))
        there = [name for name in "abc" if await store.find(name, "me") is not None]
        assert there == ["a", "c"]
        assert not await store.save(record("d", text="t" * 10_000))
        assert await store.find("c", "me") is not None


async def test_a_file_outlives_the_process_and_what_was_deleted_is_not_in_it(tmp_path: Path) -> None:
    file = tmp_path / "responses.db"
    check_file(file)
    clock = Clock()
    async with opened(file, clock=clock) as store:
        await store.save(record("kept", text="stays"))
        await store.save(record("gone", text="forget-me" * 500))
        await store.delete("gone", "me")
    check_file(file)
    assert file.stat().st_mode & 0o077 == 0
    assert b"stays" in file.read_bytes()
    assert b"forget-me" not in file.read_bytes()
    async with opened(file, clock=clock) as store:
        assert await store.find("kept", "me") is not None
    clock.now += 2000
    async with opened(file, clock=clock) as store:
        assert await store.find("kept", "me") is None
    assert b"stays" not in file.read_bytes()


async def test_a_failed_write_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 100)
    async with opened(tmp_path / "text") as store:
        with pytest.raises(StoreFailed, match="not a database"):
            await store.save(record("a"))
    with pytest.raises(StoreFailed, match="stopping"):
        await store.find("a", "me")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 100)
    with closing(sqlite3.connect(tmp_path / "other")) as connection:
        connection.execute("CREATE TABLE other (id)")
    for name, why in (
        ("text", "not a database"),
        ("other", "another kind of database"),
        ("a/b", "No such file"),
    ):
        with pytest.raises(BadSettings, match=why):
            check_file(tmp_path / name)
