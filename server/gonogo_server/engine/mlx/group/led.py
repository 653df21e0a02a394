"""A model as process 0 sees it: like any other, but whatever is done with it is done by all processes.

`one_at_a_time` and `score` use it like any model of mlx_lm. The caches it makes cannot be batched, so that answers
are generated one after the other.
"""

from __future__ import annotations

import itertools
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from gonogo_server.engine.mlx.group.part import Part

if TYPE_CHECKING:
    import mlx.core as mx

    from gonogo_server.engine.mlx.group.orders import Orders


class OutOfStepError(BaseException):
    """Not all processes have done the same any more, or not all are there: nothing can be computed again.

    No `Exception`, as that would be the failure of one answer, after which the others go on.
    """


class LedModel:
    """`model` is process 0's own part of it."""

    def __init__(self, model: Any, orders: Orders) -> None:  # noqa: ANN401 - mlx_lm has no types
        self.part = Part(model)
        self._orders = orders
        self._numbers = itertools.count(1)
        # Filled where the garbage collector happens to be, which may be on any thread.
        self._gone: deque[int] = deque()

    def make_cache(self) -> list[LedCache]:
        """An empty cache: one for all layers together, which is all that is asked of it."""
        return [self.cache("make")]

    def __call__(self, tokens: mx.array, cache: list[LedCache]) -> mx.array:
        """The logits after each of the tokens (of shape [1, tokens]), as mlx_lm's models have it."""
        [led] = cache
        logits: mx.array = self.order("call", led.number, cast("list[list[int]]", tokens.tolist())[0])
        return logits

    def cache(self, how: str, *source: int) -> LedCache:
        """A new cache, made in all processes."""
        number = next(self._numbers)
        self.order(how, *source, number)
        cache = LedCache(self, number)
        weakref.finalize(cache, self._gone.append, number).atexit = False
        return cache

    def order(self, *order: Any) -> Any:  # noqa: ANN401 - by order
        """Have all processes do it; gives what came of it in this one. Raises `OutOfStepError`."""
        try:
            if self._gone:
                dropped = [self._gone.popleft() for _ in range(len(self._gone))]
                self._everywhere("drop", dropped)
            return self._everywhere(*order)
        except Exception as error:
            raise OutOfStepError(f"a step of the group failed: {error}") from error

    def _everywhere(self, *order: Any) -> Any:  # noqa: ANN401 - by order
        # The others first, as they compute while this one does.
        self._orders.tell(*order)
        return self.part.obey(order)


class LedCache:
    """Stands for the caches of that number in all processes; what it tells of them is of process 0's."""

    def __init__(self, model: LedModel, number: int) -> None:
        self._model = model
        self.number = number

    @property
    def nbytes(self) -> int:
        """Of all layers, in each of the processes."""
        return sum(layer.nbytes for layer in self.caches)

    @property
    def state(self) -> list[Any]:
        """The arrays of all layers."""
        return [layer.state for layer in self.caches]

    def is_trimmable(self) -> bool:
        """Whether the end of it can be forgotten."""
        return all(layer.is_trimmable() for layer in self.caches)

    def trim(self, count: int) -> int:
        """Forget the last `count` tokens, which are not more than there are."""
        self._model.order("trim", self.number, count)
        return count

    def __deepcopy__(self, _memo: object) -> LedCache:
        return self._model.cache("copy", self.number)

    @property
    def caches(self) -> list[Any]:
        """Process 0's, of each layer."""
        return self._model.part.caches[self.number]
