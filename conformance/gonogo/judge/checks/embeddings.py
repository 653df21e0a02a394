"""Checks on embeddings: a vector for each input, in the requested form and with the requested length.

Vectors of two answers are compared by their direction, because the last digits of numbers vary with the batch.
"""

from __future__ import annotations

import struct
from base64 import b64decode
from math import hypot, isfinite
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.acceptance import accepted
from gonogo.judge.checks.counts import prompt_tokens
from gonogo.judge.checks.refusals import not_accepted
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.reading import Object

    Vector = list[float]

SAME, ALIKE = 0.9999, 0.99
"""Minimum cosines: of vectors from one computation, and of vectors of one text from batches in half precision."""
LEAST_NORM = 1e-30
"""The minimum length of a vector: the direction of a shorter one is determined by rounding."""


@check("there is a vector for each input")
def one_for_each(exchange: Exchange) -> Outcome:
    """One vector for each text or list of tokens in the request; a list of tokens is one input."""
    data = reading.answer(exchange).get("data")
    if not isinstance(data, list):
        raise undecided(Reason.FIELD_NOT, exchange, field="data", kind="a list")
    expected = _inputs(exchange)
    if len(data) != expected:
        return Deviation(f"{expected} vectors", f"there are {len(data)}")
    seen = sum(map(_is_vector, reading.objects(data)))
    if seen < expected:
        raise undecided(Reason.FIELD_NOT, exchange, field="data[].embedding", kind="a vector")
    return saw("vector", exchange, count=seen)


@check("the vectors are numbered from 0")
def numbered(exchange: Exchange) -> Outcome:
    """Indexes 0 to n - 1, each once, in any order."""
    indexes = [reading.count(entry.get("index")) for entry in _entries(exchange)]
    known = [index for index in indexes if index is not None]
    if len(known) < len(indexes):
        raise undecided(Reason.FIELD_NOT, exchange, field="data[].index", kind="a whole number")
    if sorted(known) == list(range(len(known))):
        return saw("vector with an index", exchange, count=len(known))
    return Deviation(f"indexes 0 to {len(known) - 1}", f"the indexes are {', '.join(map(str, known))}")


@check("no vector is empty")
def not_empty(exchange: Exchange) -> Outcome:
    """A vector has elements (zosmaai/pi-llm-wiki PR#103 stored empty ones)."""
    entries = _entries(exchange)
    for entry in entries:
        if entry.get("embedding") in ([], ""):
            return Deviation("numbers in every vector", f"the vector of index {entry.get('index')} is empty")
    return saw("vector", exchange, count=sum(map(_is_vector, entries)))


@check("all vectors have the same length")
def one_length(exchange: Exchange) -> Outcome:
    """One model has one number of dimensions; a single vector has nothing to compare with."""
    vectors = _vectors(exchange)
    lengths = sorted({len(vector) for vector in vectors.values()})
    if len(lengths) == 1:
        return saw("further vector", exchange, count=len(vectors) - 1)
    return Deviation("one length", f"the lengths are {', '.join(map(str, lengths))}")


@check("the vectors are arrays of numbers")
def arrays(exchange: Exchange) -> Outcome:
    """The requested form, or the default."""
    values = [entry.get("embedding") for entry in _entries(exchange)]
    if any(isinstance(value, str) for value in values):
        return Deviation("an array of numbers", "the vector is a string")
    return saw("array of numbers", exchange, count=sum(bool(_numbers(value)) for value in values))


@check("the vectors are strings of base64")
def strings(exchange: Exchange) -> Outcome:
    """The requested form, not the default."""
    values = [entry.get("embedding") for entry in _entries(exchange)]
    if any(isinstance(value, list) for value in values):
        return Deviation("a string of base64", "the vector is an array of numbers")
    return saw("string of base64", exchange, count=sum(map(_is_base64, values)))


@check("every vector has {number:d} numbers")
def dimensions(exchange: Exchange, number: int) -> Outcome:
    """The length is the request's `dimensions`."""
    vectors = _vectors(exchange)
    for index, vector in vectors.items():
        if len(vector) != number:
            return Deviation(f"{number} numbers", f"the vector of index {index} has {len(vector)}")
    return saw(f"vector of {number} numbers", exchange, count=len(vectors))


@check("prompt and total tokens are equal")
def counts_agree(exchange: Exchange) -> Outcome:
    """Nothing is generated, so that the total is the prompt's count."""
    prompt = prompt_tokens(exchange)
    total = reading.count((reading.usage(reading.answer(exchange)) or {}).get("total_tokens"))
    if total is None:
        raise undecided(Reason.FIELD_NOT, exchange, field="total_tokens", kind="a whole number")
    if prompt == total:
        return saw("total_tokens", exchange)
    return Deviation(f"total_tokens {prompt}", f"total_tokens is {total}")


@compare("the base64 has four bytes for each number")
def four_bytes_each(*exchanges: Exchange) -> Outcome:
    """Each number has four bytes: only 32-bit floats are allowed."""
    numbers, packed = (_raw(exchange) for exchange in exchanges)
    if not isinstance(numbers, list) or not isinstance(packed, str):
        raise undecided(
            Reason.VECTORS_UNLIKE, *exchanges, why="one is not in the form that its request names"
        )
    try:
        size = len(b64decode(packed, validate=True))
    except ValueError as error:
        return Deviation("base64", f"the string is no base64: {error}")
    if size == 4 * len(numbers):
        return saw("number of the vector", *exchanges, count=len(numbers))
    return Deviation(f"4 bytes for each of {len(numbers)} numbers", f"there are {size} bytes")


@compare("the base64 encodes the same vector")
def same_in_base64(*exchanges: Exchange) -> Outcome:
    """Little-endian floats; others decode to noise. If the vector of a text varies, the rule is undecided."""
    first, again, encoded = exchanges
    deviation = _unlike((first, encoded), 0, ALIKE, "the vector that the array holds")
    if deviation is not None:
        if _unlike((first, again), 0, ALIKE, "") is not None:
            raise undecided(
                Reason.VECTORS_UNLIKE, first, again, why="the same text has another vector each time"
            )
        return deviation
    return saw("string of base64", exchanges[-1], count=isinstance(_raw(exchanges[-1]), str))


@compare("the vectors agree")
def agree(*exchanges: Exchange) -> Outcome:
    """The same text has the same vector."""
    return _unlike(exchanges, 0, SAME, "the same vector") or saw("vector", *exchanges)


@compare("the vector of index {index:d} is that of its text alone")
def as_alone(*exchanges: Exchange, index: int) -> Outcome:
    """The other inputs of a batch have no effect."""
    return _unlike(exchanges, index, ALIKE, "the same direction") or saw("vector", *exchanges)


@compare("the vector of index 0 is nearest to that of the first text alone")
def in_order(*exchanges: Exchange) -> Outcome:
    """`index` is the number of the input: the vector of index 0 is nearest to that of the first text."""
    alone, batch = exchanges
    single, vectors = _vectors(alone).get(0, []), _vectors(batch)
    if 0 not in vectors or any(len(vector) != len(single) for vector in vectors.values()):
        why = "their lengths differ" if 0 in vectors else "there is none of index 0"
        raise undecided(Reason.VECTORS_UNLIKE, batch, alone, why=why)
    if any(vector == vectors[0] for index, vector in vectors.items() if index):
        return Deviation("another vector for each text", "two different texts have the same vector")
    nearness = {index: _cosine(single, vector) for index, vector in vectors.items()}
    nearest = max(nearness, key=nearness.__getitem__)
    if nearness[nearest] - nearness[0] < 1 - ALIKE:
        return saw("other vector", batch, count=len(vectors) - 1)
    return Deviation(
        "the first text at index 0",
        f"the vector of index {nearest} is nearer ({nearness[nearest]:.3f} to {nearness[0]:.3f})",
    )


@check("the vectors of the two texts differ, or the texts are refused", Of.ANY)
def not_cut(exchange: Exchange) -> Outcome:
    """Equal vectors show that only the common beginning of the two texts was used."""
    if not accepted(exchange):
        return not_accepted(exchange)
    first, second = (_vectors(exchange).get(index, []) for index in (0, 1))
    if not first or not second:
        raise undecided(Reason.NO_VECTORS, exchange)
    if first != second:
        return saw("vector that differs from the other", exchange)
    return Deviation("two vectors, or a refusal", "both vectors are equal in every number")


def _unlike(exchanges: tuple[Exchange, ...], index: int, least: float, expected: str) -> Deviation | None:
    """A deviation if index 0 of the first answer and `index` of the second have different directions."""
    alone, other = exchanges
    first, second = _vectors(alone).get(0, []), _vectors(other).get(index, [])
    if not first or len(first) != len(second):
        why = (
            "their lengths differ" if first and second else f"there is none of index {index if first else 0}"
        )
        raise undecided(Reason.VECTORS_UNLIKE, *exchanges, why=why)
    cosine = _cosine(first, second)
    if cosine >= least:
        return None
    return Deviation(expected, f"the cosine of the two vectors is {cosine:.4f}")


def _cosine(first: Vector, second: Vector) -> float:
    """The cosine of two vectors; 0 if one of them is zero, or has no finite number."""
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
        raise undecided(Reason.NO_VECTORS, exchange)
    return entries


def _raw(exchange: Exchange) -> object:
    return _entries(exchange)[0].get("embedding")


def _vectors(exchange: Exchange) -> dict[int, Vector]:
    """The vectors by index, in either form; another rule checks those that cannot be decoded."""
    found = {}
    for entry in _entries(exchange):
        index, value = reading.count(entry.get("index")), entry.get("embedding")
        vector = _unpacked(value) if isinstance(value, str) else _numbers(value)
        if index is not None and vector:
            found[index] = vector
    if not found:
        raise undecided(Reason.NO_VECTORS, exchange)
    return found


def _is_vector(entry: Object) -> bool:
    """Whether the entry has a vector that is not empty, in either form."""
    value = entry.get("embedding")
    return isinstance(value, list | str) and bool(value)


def _is_base64(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(b64decode(value, validate=True))
    except ValueError:
        return False


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
