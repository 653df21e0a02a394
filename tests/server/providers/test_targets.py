"""The choice among several servers of a provider."""

from __future__ import annotations

from gonogo_server.providers.upstream.targets import Targets


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_one_with_the_fewest_open_requests_is_asked() -> None:
    targets = Targets(("a", "b"), Clock())
    first = targets.next()
    first.open += 1
    second = targets.next()
    assert {first.url, second.url} == {"a", "b"}


def test_one_that_failed_is_set_aside_twice_as_long_each_time() -> None:
    clock = Clock()
    targets = Targets(("a", "b"), clock)
    failing = targets.next()
    targets.failed(failing)
    assert targets.next() is not failing
    clock.now = failing.until
    targets.next().open += 1
    other = next(each for each in (targets.next(),) if each is failing)
    targets.failed(other)
    assert other.until - clock.now == 2.0


def test_a_server_that_answers_again_is_no_longer_avoided() -> None:
    targets = Targets(("a", "b"), Clock())
    failing = targets.next()
    targets.failed(failing)
    failing.answered()
    targets.next(("b",))
    assert targets.next(("b",)) is failing


def test_a_request_goes_to_a_server_that_it_has_not_tried() -> None:
    targets = Targets(("a", "b"), Clock())
    assert targets.next(["a"]).url == "b"


def test_if_all_servers_are_avoided_the_one_with_the_earliest_next_attempt_is_used() -> None:
    clock = Clock()
    targets = Targets(("a", "b"), clock)
    first = targets.next()
    targets.failed(first)
    clock.now = 0.5
    targets.failed(targets.next())
    assert targets.next() is first
