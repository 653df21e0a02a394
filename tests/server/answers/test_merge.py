"""Streams that run at the same time, read as one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from gonogo_server.answers.merge import AHEAD, merge

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio


class Source:
    """Counts, and records its progress and whether it was closed."""

    def __init__(self, name: str, length: int, *, fails: bool = False) -> None:
        self.name = name
        self.length = length
        self.fails = fails
        self.made = 0
        self.closed = False

    async def items(self) -> AsyncGenerator[list[str], None]:
        try:
            for number in range(self.length):
                self.made += 1
                yield [f"{self.name}{number}"]
                await asyncio.sleep(0)
            if self.fails:
                raise ZeroDivisionError(self.name)
        finally:
            self.closed = True


async def merged(*sources: Source) -> list[str]:
    return [item async for items in merge([source.items() for source in sources]) for item in items]


async def test_every_item_comes_and_those_of_a_stream_in_its_order() -> None:
    items = await merged(Source("a", 3), Source("b", 1), Source("c", 2))
    assert sorted(items) == ["a0", "a1", "a2", "b0", "c0", "c1"]
    assert [item for item in items if item.startswith("a")] == ["a0", "a1", "a2"]


async def test_streams_run_at_the_same_time() -> None:
    assert (await merged(Source("a", 2), Source("b", 2)))[:2] == ["a0", "b0"]


async def test_items_that_are_there_at_the_same_moment_come_as_one_list() -> None:
    sources = [Source(name, 2) for name in "abc"]
    lists = [items async for items in merge([source.items() for source in sources])]
    assert lists == [["a0", "b0", "c0"], ["a1", "b1", "c1"]]


async def test_an_item_does_not_wait_for_those_of_other_streams() -> None:
    async def silent() -> AsyncGenerator[list[str], None]:
        await asyncio.Event().wait()
        yield ["never"]

    async with aclosing(merge([silent(), Source("a", 2).items()])) as items, asyncio.timeout(30):
        assert [await anext(items), await anext(items)] == [["a0"], ["a1"]]


async def test_items_before_a_failure_are_yielded_before_it_is_raised() -> None:
    async def failing() -> AsyncGenerator[list[str], None]:
        yield ["said"]
        raise ZeroDivisionError

    async with aclosing(merge([failing(), Source("a", 1000).items()])) as items:
        assert "said" in await anext(items)
        with pytest.raises(ZeroDivisionError):
            await anext(items)


@pytest.mark.parametrize("lengths", [(), (2,), (0, 0)])
async def test_none_one_and_empty_ones_are_streams_too(lengths: tuple[int, ...]) -> None:
    assert len(await merged(*(Source("a", length) for length in lengths))) == sum(lengths)


async def test_a_slow_reader_holds_the_streams_back() -> None:
    sources = [Source("a", 1000), Source("b", 1000)]
    async with aclosing(merge([source.items() for source in sources])) as items:
        read = await anext(items)
        for _ in range(5 * AHEAD):
            await asyncio.sleep(0)
        # In addition to those that were read and those queued, each stream holds one.
        assert sum(source.made for source in sources) <= len(read) + AHEAD + len(sources)


async def test_closing_it_closes_every_stream() -> None:
    sources = [Source("a", 1000), Source("b", 1000)]
    async with aclosing(merge([source.items() for source in sources])) as items:
        await anext(items)
    assert all(source.closed for source in sources)


@pytest.mark.parametrize("others", [0, 1])
async def test_an_exception_of_one_source_is_raised_and_ends_the_others(others: int) -> None:
    sources = [Source("a", 2, fails=True), *(Source("b", 1000) for _ in range(others))]
    with pytest.raises(ZeroDivisionError, match="a"):
        await merged(*sources)
    assert all(source.closed for source in sources)


async def test_a_reader_that_is_cancelled_closes_every_stream() -> None:
    sources = [Source("a", 1000), Source("b", 1000)]
    reading = asyncio.create_task(merged(*sources))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert all(source.closed for source in sources)
