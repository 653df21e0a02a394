"""Embeddings: a vector for each input, in the form and of the length that was asked for.

Vectors of two answers are compared by their direction: numbers differ in their last digits from batch to batch.
"""

from __future__ import annotations

import struct
from base64 import b64decode
from math import hypot, isfinite
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import check, compare

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Object

    Vector = list[float]

SAME, ALIKE = 0.9999, 0.99
"""Cosines of vectors that one computation gave, and of those that half-precision batches give of one text."""
LEAST_NORM = 1e-30
"""Of what is shorter, rounding alone decides where it points."""


@check("there is a vector for each input")
def one_for_each(exchange: Exchange) -> Deviation | None:
    """As many as texts or lists of tokens were given; a list of tokens is one input."""
    data = reading.answer(exchange).get("data")
    if not isinstance(data, list):
        raise Undecided(f"{exchange.id} has no list of data")
    expected = _inputs(exchange)
    return None if len(data) == expected else Deviation(f"{expected} vectors", f"there are {len(data)}")


@check("the vectors are numbered from 0")
def numbered(exchange: Exchange) -> Deviation | None:
    """Indexes 0 to n - 1, each once, in whatever order."""
    indexes = [reading.count(entry.get("index")) for entry in _entries(exchange)]
    known = [index for index in indexes if index is not None]
    if len(known) < len(indexes):
        raise Undecided(f"a vector of {exchange.id} has no index")
    if sorted(known) == list(range(len(known))):
        return None
    return Deviation(f"indexes 0 to {len(known) - 1}", f"the indexes are {', '.join(map(str, known))}")


@check("no vector is empty")
def not_empty(exchange: Exchange) -> Deviation | None:
    """A vector has a direction (zosmaai/pi-llm-wiki PR#103 stored empty ones)."""
    for entry in _entries(exchange):
        if entry.get("embedding") in ([], ""):
            return Deviation("numbers in every vector", f"the vector of index {entry.get('index')} is empty")
    return None


@check("all vectors have one length")
def one_length(exchange: Exchange) -> Deviation | None:
    """One model has one number of dimensions."""
    lengths = sorted({len(vector) for vector in _vectors(exchange).values()})
    if len(lengths) == 1:
        return None
    return Deviation("one length", f"the lengths are {', '.join(map(str, lengths))}")


@check("the vectors are arrays of numbers")
def arrays(exchange: Exchange) -> Deviation | None:
    """The form that was asked for, or the default."""
    for entry in _entries(exchange):
        if isinstance(entry.get("embedding"), str):
            return Deviation("an array of numbers", "the vector is a string")
    return None


@check("the vectors are strings of base64")
def strings(exchange: Exchange) -> Deviation | None:
    """The form that was asked for, not the default."""
    for entry in _entries(exchange):
        if isinstance(entry.get("embedding"), list):
            return Deviation("a string of base64", "the vector is an array of numbers")
    return None


@check("every vector has {number:d} numbers")
def dimensions(exchange: Exchange, number: int) -> Deviation | None:
    """As many as were asked for."""
    for index, vector in _vectors(exchange).items():
        if len(vector) != number:
            return Deviation(f"{number} numbers", f"the vector of index {index} has {len(vector)}")
    return None


@check("prompt and total tokens are one number")
def counts_agree(exchange: Exchange) -> Deviation | None:
    """Nothing is generated, so the prompt is all there is."""
    usage = reading.usage(reading.answer(exchange)) or {}
    prompt, total = (reading.count(usage.get(name)) for name in ("prompt_tokens", "total_tokens"))
    if prompt is None or total is None:
        raise Undecided(f"{exchange.id} does not count its tokens")
    return None if prompt == total else Deviation(f"total_tokens {prompt}", f"total_tokens is {total}")


@compare("the bytes of the base64 are as many as the numbers need")
def four_bytes_each(*exchanges: Exchange) -> Deviation | None:
    """Four for each number: 32-bit floats, and no other form."""
    numbers, packed = (_raw(exchange) for exchange in exchanges)
    if not isinstance(numbers, list) or not isinstance(packed, str):
        raise Undecided("one of the vectors is not in the form that was asked for")
    try:
        size = len(b64decode(packed, validate=True))
    except ValueError as error:
        return Deviation("base64", f"the string is no base64: {error}")
    if size == 4 * len(numbers):
        return None
    return Deviation(f"4 bytes for each of {len(numbers)} numbers", f"there are {size} bytes")


@compare("the base64 is of the same vector")
def same_in_base64(*exchanges: Exchange) -> Deviation | None:
    """Little-endian floats; others decode to noise."""
    numbers, packed = (_vectors(exchange).get(0, []) for exchange in exchanges)
    if len(numbers) != len(packed):
        raise Undecided("the vectors differ in length")
    return _unlike(numbers, packed, ALIKE, "the vector that the array holds")


@compare("the vectors agree")
def agree(*exchanges: Exchange) -> Deviation | None:
    """The same text has the same vector."""
    first, second = (_vectors(exchange).get(0, []) for exchange in exchanges)
    return _unlike(first, second, SAME, "the same vector")


@compare("the vector of index {index:d} is that of its text alone")
def as_alone(*exchanges: Exchange, index: int) -> Deviation | None:
    """What else is in a batch does not matter."""
    alone, batch = exchanges
    return _unlike(_vectors(alone).get(0, []), _vectors(batch).get(index, []), ALIKE, "the same direction")


@compare("no other vector is nearer to that of the first text alone")
def in_order(*exchanges: Exchange) -> Deviation | None:
    """`index` is the number of the input: the vector of index 0 is that of the first text."""
    alone, batch = exchanges
    single, vectors = _vectors(alone).get(0, []), _vectors(batch)
    if 0 not in vectors or any(len(vector) != len(single) for vector in vectors.values()):
        raise Undecided(f"the vectors of {batch.id} cannot be compared with that of {alone.id}")
    nearness = {index: _cosine(single, vector) for index, vector in vectors.items()}
    nearest = max(nearness, key=nearness.__getitem__)
    if nearness[nearest] - nearness[0] < 1 - ALIKE:
        return None
    return Deviation(
        "the first text at index 0",
        f"the vector of index {nearest} is nearer ({nearness[nearest]:.3f} to {nearness[0]:.3f})",
    )


def _unlike(first: Vector, second: Vector, least: float, expected: str) -> Deviation | None:
    if not first or len(first) != len(second):
        raise Undecided("the vectors cannot be compared")
    cosine = _cosine(first, second)
    if cosine >= least:
        return None
    return Deviation(expected, f"the cosine of the two vectors is {cosine:.4f}")


def _cosine(first: Vector, second: Vector) -> float:
    """0 where one of them has no direction, or no number that is finite."""
    norm = hypot(*first) * hypot(*second)
    if norm < LEAST_NORM or not isfinite(norm):
        return 0.0
    return sum(a * b for a, b in zip(first, second, strict=True)) / norm


def _inputs(exchange: Exchange) -> int:
    given = exchange.request.fields.get("input")
    return len(given) if isinstance(given, list) and given and not isinstance(given[0], int) else 1


def _entries(exchange: Exchange) -> list[Object]:
    entries = reading.objects(reading.answer(exchange).get("data"))
    if not entries:
        raise Undecided(f"{exchange.id} has no vectors")
    return entries


def _raw(exchange: Exchange) -> object:
    return _entries(exchange)[0].get("embedding")


def _vectors(exchange: Exchange) -> dict[int, Vector]:
    """The vectors by index, in whichever form; those that cannot be read are another rule's matter."""
    found = {}
    for entry in _entries(exchange):
        index, value = reading.count(entry.get("index")), entry.get("embedding")
        vector = _unpacked(value) if isinstance(value, str) else _numbers(value)
        if index is not None and vector:
            found[index] = vector
    if not found:
        raise Undecided(f"{exchange.id} has no vector that can be read")
    return found


def _numbers(value: object) -> Vector:
    values = value if isinstance(value, list) else []
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    return numbers if len(numbers) == len(values) else []


def _unpacked(text: str) -> Vector:
    try:
        data = b64decode(text, validate=True)
        return list(struct.unpack(f"<{len(data) // 4}f", data))
    except (ValueError, struct.error):
        return []
