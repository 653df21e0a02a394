"""Lists the differences between two OpenAPI documents in the operations of the first."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonogo_contract.drift.shape import LIMITS, LOWER, UPPER, alternatives, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gonogo_contract.drift.shape import Alternative, Document, Keywords, Schema

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_NAME: Schema = {"type": "string"}


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that differs between the two documents; None if a document does not have it.

    `where` is an operation, `request` or a status and media type, and a path ("POST /x request $.a[].b"); `facet` is
    the differing property: a keyword, or one of field, variant, nullable, response, media type.
    """

    where: str
    facet: str
    ours: object
    theirs: object

    def __str__(self) -> str:
        return f"{self.where}: {self.facet}"


@dataclass(slots=True)
class Comparison:
    """Compares the operations of `ours` with those of `theirs`; both are parsed OpenAPI documents."""

    ours: Document
    theirs: Document
    _open: set[tuple[int, int]] = field(default_factory=set)

    def differences(self) -> Iterator[Difference]:
        """Yield every difference, in the order of `ours`. Raises UnresolvedReferenceError."""
        for path, item in self.ours["paths"].items():
            for method in METHODS:
                if method not in item:
                    continue
                where = f"{method.upper()} {path}"
                other = self.theirs["paths"].get(path, {})
                if method in other:
                    yield from self._parameters(where, (item, item[method]), (other, other[method]))
                    yield from self._operation(where, item[method], other[method])
                else:
                    yield Difference(where, "operation", "present", None)

    def _parameters(
        self, where: str, ours: tuple[Keywords, ...], theirs: tuple[Keywords, ...]
    ) -> Iterator[Difference]:
        mine, other = _parameters(ours, self.ours), _parameters(theirs, self.theirs)
        for name in _names(mine, other):
            place = f"{where} {name}"
            if name not in mine or name not in other:
                yield Difference(place, "parameter", *_presence(name, mine, other))
                continue
            yield from _required(place, mine[name].get("required", False), other[name].get("required", False))
            yield from self._nested(place, mine[name].get("schema"), other[name].get("schema"))

    def _operation(self, where: str, ours: Keywords, theirs: Keywords) -> Iterator[Difference]:
        mine = resolve(ours.get("requestBody", {}), self.ours)
        other = resolve(theirs.get("requestBody", {}), self.theirs)
        yield from _required(f"{where} request", mine.get("required", False), other.get("required", False))
        yield from self._contents(f"{where} request", mine, other)
        yield from self._responses(where, ours.get("responses", {}), theirs.get("responses", {}))

    def _responses(self, where: str, ours: Keywords, theirs: Keywords) -> Iterator[Difference]:
        for status in _names(ours, theirs):
            if status in ours and status in theirs:
                yield from self._contents(
                    f"{where} {status}",
                    resolve(ours[status], self.ours),
                    resolve(theirs[status], self.theirs),
                )
            else:
                yield Difference(f"{where} {status}", "response", *_presence(status, ours, theirs))

    def _contents(self, where: str, ours: Keywords, theirs: Keywords) -> Iterator[Difference]:
        mine, other = ours.get("content", {}), theirs.get("content", {})
        for media_type in _names(mine, other):
            place = f"{where} {media_type}"
            if media_type in mine and media_type in other:
                payloads = _payload(mine[media_type], self.ours), _payload(other[media_type], self.theirs)
                yield from self._schemas(f"{place} $", *payloads)
            else:
                yield Difference(place, "media type", *_presence(media_type, mine, other))

    def _schemas(self, where: str, ours: Schema, theirs: Schema) -> Iterator[Difference]:
        pair = (id(ours), id(theirs))
        if pair in self._open:  # a schema that contains itself
            return
        self._open.add(pair)
        mine, other = alternatives(ours, self.ours), alternatives(theirs, self.theirs)
        yield from _types(where, mine, other)
        for name in sorted(_type_names(mine) & _type_names(other)):
            yield from self._one_type(where, name, _of_type(mine, name), _of_type(other, name))
        self._open.discard(pair)

    def _one_type(
        self, where: str, name: str, ours: list[Alternative], theirs: list[Alternative]
    ) -> Iterator[Difference]:
        if name not in {"array", "object"}:
            yield from _scalars(where, ours, theirs)
            return
        label = _item_label if name == "array" else _constant_label
        single = len(ours) == len(theirs) == 1
        mine = _labelled(ours, self.ours, label, single=single)
        other = _labelled(theirs, self.theirs, label, single=single)
        inside = self._array if name == "array" else self._object
        suffix = "[]" if name == "array" else ""
        for key in _names(mine, other):
            place = where + suffix + key
            if key in mine and key in other:
                yield from _limits(place, [mine[key]], [other[key]])
                yield from inside(place, mine[key], other[key])
            else:
                yield Difference(place, "variant", *_presence(key, mine, other))

    def _array(self, where: str, ours: Alternative, theirs: Alternative) -> Iterator[Difference]:
        yield from self._nested(where, ours.get("items"), theirs.get("items"))

    def _object(self, where: str, ours: Alternative, theirs: Alternative) -> Iterator[Difference]:
        mine, other = ours.get("properties", {}), theirs.get("properties", {})
        for name in _names(mine, other):
            place = f"{where}.{name}"
            if name not in mine or name not in other:
                yield Difference(place, "field", *_presence(name, mine, other))
                continue
            yield from _required(place, name in ours.get("required", ()), name in theirs.get("required", ()))
            yield from self._schemas(place, mine[name], other[name])
        yield from self._schemas(
            f"{where}.<name>", ours.get("propertyNames", _NAME), theirs.get("propertyNames", _NAME)
        )
        yield from self._additional(
            where, ours.get("additionalProperties", True), theirs.get("additionalProperties", True)
        )

    def _additional(self, where: str, ours: Schema, theirs: Schema) -> Iterator[Difference]:
        if (ours is False) != (theirs is False):
            yield Difference(where, "additionalProperties", ours is not False, theirs is not False)
        elif ours is not False:
            yield from self._nested(f"{where}.<other>", ours, theirs)

    def _nested(self, where: str, ours: Schema | None, theirs: Schema | None) -> Iterator[Difference]:
        """Compare two schemas; a missing schema admits every value."""
        pair = [True if schema is None or schema == {} else schema for schema in (ours, theirs)]
        if pair[0] is not True or pair[1] is not True:
            yield from self._schemas(where, pair[0], pair[1])


def _payload(media: Keywords, root: Document) -> Schema:
    """Return the schema of a body; for a stream, the schema of the JSON in one event."""
    if "itemSchema" not in media:
        schema: Schema = media.get("schema", True)
        return schema
    data = [event.get("properties", {}).get("data", {}) for event in alternatives(media["itemSchema"], root)]
    return {"anyOf": [schema["contentSchema"] for schema in data if "contentSchema" in schema]}


def _parameters(holders: tuple[Keywords, ...], root: Document) -> dict[str, Keywords]:
    """Return the parameters of a path and its operation as {"path model": parameter}."""
    found = [resolve(parameter, root) for holder in holders for parameter in holder.get("parameters", ())]
    return {f"{parameter['in']} {parameter['name']}": parameter for parameter in found}


def _required(where: str, ours: bool, theirs: bool) -> Iterator[Difference]:  # noqa: FBT001 - two values
    if ours != theirs:
        yield Difference(where, "required", ours, theirs)


def _types(where: str, ours: list[Alternative], theirs: list[Alternative]) -> Iterator[Difference]:
    mine, other = _type_names(ours), _type_names(theirs)
    if ("null" in mine) != ("null" in other):
        yield Difference(where, "nullable", "null" in mine, "null" in other)
    if mine - {"null"} != other - {"null"}:
        yield Difference(where, "type", sorted(mine - {"null"}), sorted(other - {"null"}))


def _scalars(where: str, ours: list[Alternative], theirs: list[Alternative]) -> Iterator[Difference]:
    mine, other = _enum(ours), _enum(theirs)
    if mine != other:
        yield Difference(where, "enum", mine, other)
    yield from _limits(where, ours, theirs)


def _limits(where: str, ours: list[Alternative], theirs: list[Alternative]) -> Iterator[Difference]:
    for keyword in LIMITS.get(ours[0]["type"], ()):
        mine, other = _loosest(keyword, ours), _loosest(keyword, theirs)
        if mine != other:
            yield Difference(where, keyword, mine, other)


def _enum(found: list[Alternative]) -> list[Any] | None:
    """Return the union of the enum values of all alternatives, or None if one of them has no enum."""
    if any("enum" not in one for one in found):
        return None
    return sorted(frozenset[Any]().union(*(one["enum"] for one in found)))


def _loosest(keyword: str, found: list[Alternative]) -> object:
    """Return the weakest limit among the alternatives; None if one of them has no limit."""
    values = [one[keyword] for one in found if keyword in one]
    if len(values) < len(found):
        return None
    if keyword in LOWER:
        return min(values)
    if keyword in UPPER:
        return max(values)
    return values[0] if len(set(map(str, values))) == 1 else values


def _labelled(
    found: list[Alternative],
    root: Document,
    label: Callable[[Alternative, Document], str],
    *,
    single: bool,
) -> dict[str, Alternative]:
    """Name the variants of one type so that they can be paired; a single variant on both sides needs no name."""
    if single:
        return {"": found[0]}
    named: dict[str, Alternative] = {}
    for one in found:
        name = label(one, root)
        again = sum(
            key in {f"<{name}>", f"<{name} #{count}>"} for count, key in enumerate(named, 1) for key in named
        )
        named[f"<{name} #{again + 1}>" if again else f"<{name}>"] = one
    return named


def _item_label(array: Alternative, root: Document) -> str:
    return "|".join(sorted(_type_names(alternatives(array.get("items", True), root))))


def _constant_label(variant: Alternative, root: Document) -> str:
    """Return the constant fields of an object, as in "type=text", or else its required fields."""
    constants = []
    for name, schema in variant.get("properties", {}).items():
        values = _enum(alternatives(schema, root)) if name in variant.get("required", ()) else None
        if values and len(values) == 1:
            constants.append(f"{name}={values[0]}")
    return ",".join(constants or variant.get("required", ()))


def _type_names(found: list[Alternative]) -> set[str]:
    return {one["type"] for one in found}


def _of_type(found: list[Alternative], name: str) -> list[Alternative]:
    return [one for one in found if one["type"] == name]


def _names(ours: dict[str, Any], theirs: dict[str, Any]) -> Sequence[str]:
    return list(dict.fromkeys([*ours, *theirs]))


def _presence(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[str | None, str | None]:
    return ("present" if name in ours else None, "present" if name in theirs else None)


def shown(value: object) -> str:
    """Return a value of a document as text for the report; "nothing" if it is absent."""
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
