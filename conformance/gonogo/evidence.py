"""The evidence file: what was recorded about one target, as JSON Lines, so that it can be judged again.

The first line is a header: `{"gonogo": version, "evidence_version": 1, "target": …, "started": …, "extra_body": …}`,
the last absent in older files. Each further line is one exchange, or
`{"unsent": stimulus, "reason": code, "about": [id, …], "values": {…}}` (`gonogo.reasons` has the codes; an older file
has a sentence as the reason, and no more). A chunk of a body is `[seconds, text]`, or
`[seconds, {"base64": …}]` where its bytes are not UTF-8 by themselves. A body of more than 64 KiB, as vectors make it,
is packed without loss: its chunks are `{"zlib": base64 of the whole body, "pieces": [[seconds, bytes], …]}`. A line is
flushed as soon as its
exchange ended, so that a crash loses nothing that was recorded. Secrets are never
written (see `gonogo.redaction`).
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import jsonschema_rs

from gonogo import __version__
from gonogo.errors import EvidenceError
from gonogo.exchange_json import from_json, shape_of, to_json
from gonogo.reasons import Reason
from gonogo.redaction import redact, redact_fields
from gonogo.verdict import Because

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike
    from types import TracebackType

    from gonogo.exchange import Exchange

EVIDENCE_VERSION = 1

_REASONS = {reason.value: reason for reason in Reason}
_OLDER_REASONS = {
    "no embedding model is known; name one with --embedding-model": Reason.NO_EMBEDDING_MODEL,
}
"""Sentences of older files on which a verdict depends; any other is shown as it is."""


@dataclass(frozen=True, slots=True)
class Target:
    """The endpoint that was asked: its base URL, and the models that were used (None: none of the kind)."""

    base_url: str
    model: str | None = None
    embedding_model: str | None = None


@dataclass(frozen=True, eq=False)
class Record:
    """Everything that one run recorded.

    `started` is the time of its beginning (ISO 8601, UTC). `unsent` holds the keys of the stimuli that were
    not sent, and why each was not; an exchange of such a key was to be asked for once more, and does not count.
    `gonogo` is the version that wrote it. `truncated` is true
    where the last line of the file was cut short and is left out. `extra_body` holds the fields that went into
    the body of every generation.
    """

    target: Target
    started: str
    exchanges: tuple[Exchange, ...]
    unsent: Mapping[str, Because] = field(default_factory=dict)
    gonogo: str = __version__
    truncated: bool = False
    extra_body: Mapping[str, object] = field(default_factory=dict)


class EvidenceWriter:
    """Write a record while it is collected: a context manager that replaces the file at `path`.

    `go_on` makes one that adds to a record instead.
    `key` is the API key of the run; it is masked wherever it occurs (see `gonogo.redaction`).
    Raises `EvidenceError` where the file cannot be written.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        target: Target,
        started: str,
        *,
        key: str | None = None,
        extra_body: Mapping[str, object] | None = None,
    ) -> None:
        self._path = Path(path)
        self._key = key
        try:
            self._file = self._path.open("w", encoding="ascii", newline="\n")
        except OSError as error:
            raise self._unwritable(error) from error
        self._write(_header(target, started, redact_fields(extra_body or {}, key)))

    @classmethod
    def go_on(cls, path: str | PathLike[str], record: Record, *, key: str | None = None) -> Self:
        """Write what follows a record, with which the file at `path` begins then, and nothing else of before.

        The file is replaced in one step, so that a crash at any moment loses nothing that was recorded.
        Raises EvidenceError where it cannot be written.
        """
        target = Path(path).resolve()  # what a link leads to, not the link
        beside = target.with_name(f"{target.name}.new")
        writer = cls(beside, record.target, record.started, key=key, extra_body=record.extra_body)
        writer.add(record)
        writer.close()
        try:
            beside.replace(target)
            writer._file = target.open("a", encoding="ascii", newline="\n")
        except OSError as error:
            raise writer._unwritable(error) from error
        writer._path = target
        return writer

    def exchange(self, exchange: Exchange) -> None:
        """Write one exchange, secrets redacted, and flush it."""
        self._write(to_json(redact(exchange, self._key)))

    def unsent(self, key: str, because: Because) -> None:
        """Write that the stimulus of this key was not sent, and why, secrets redacted."""
        self._write(
            {
                "unsent": key,
                "reason": because.reason.value,
                "about": because.about,
                "values": redact_fields(because.values, self._key),
            }
        )

    def add(self, record: Record) -> None:
        """Write all that a record holds."""
        for exchange in record.exchanges:
            self.exchange(exchange)
        for stimulus, because in record.unsent.items():
            self.unsent(stimulus, because)

    def _write(self, line: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n")
            self._file.flush()
        except OSError as error:
            with suppress(OSError):  # closing tries to write once more
                self._file.close()
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> EvidenceError:
        return EvidenceError(f"The evidence file {self._path} cannot be written: {error.strerror}.")

    def close(self) -> None:
        """Close the file; every line is in it already."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def write(path: str | PathLike[str], record: Record, *, key: str | None = None) -> None:
    """Write a whole record; `EvidenceError` where the file cannot be written."""
    with EvidenceWriter(path, record.target, record.started, key=key, extra_body=record.extra_body) as writer:
        writer.add(record)


def read(path: str | PathLike[str]) -> Record:
    """Read an evidence file; `EvidenceError` says in one sentence why it cannot be read.

    A last line that was cut short, as a crash leaves it, is left out and reported by `Record.truncated`.
    """
    lines = _Lines(Path(path))
    header = lines.header()
    exchanges, unsent = {}, {}
    for line in lines:
        if "unsent" in line:
            unsent[line["unsent"]] = _because_from_json(line, lines.place)
        elif line["id"] in exchanges:
            raise EvidenceError(f'{lines.place} repeats the exchange id "{line["id"]}".')
        else:
            exchanges[line["id"]] = _exchange_from_json(line, lines.place)
    return Record(
        Target(**header["target"]),
        header["started"],
        tuple(exchanges.values()),
        unsent,
        header["gonogo"],
        lines.truncated,
        header.get("extra_body", {}),
    )


def _exchange_from_json(line: dict[str, Any], place: str) -> Exchange:
    try:
        return from_json(line)
    except ValueError as error:
        raise EvidenceError(f"{place} is not as gonogo writes it: {error}.") from error


def _header(target: Target, started: str, extra_body: Mapping[str, object]) -> dict[str, Any]:
    return {
        "gonogo": __version__,
        "evidence_version": EVIDENCE_VERSION,
        "target": asdict(target),
        "started": started,
        "extra_body": extra_body,
    }


def _because_from_json(line: dict[str, Any], place: str) -> Because:
    if "values" not in line:
        known = _OLDER_REASONS.get(line["reason"])
        return Because(Reason.NOT_SENT, {"told": line["reason"]}) if known is None else Because(known)
    reason = _REASONS[line["reason"]]
    if missing := ", ".join(sorted(reason.names - line["values"].keys())):
        raise EvidenceError(f"{place} is not as gonogo writes it: values: {missing} is missing.")
    return Because(reason, line["values"], tuple(line["about"]))


class _Lines:
    """The lines of an evidence file as checked JSON objects; raises `EvidenceError` at the first bad one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = 0
        self.truncated = False
        try:
            self._lines = path.read_bytes().splitlines(keepends=True)
        except OSError as error:
            raise EvidenceError(f"The evidence file {path} cannot be read: {error.strerror}.") from error

    @property
    def place(self) -> str:
        return f"Line {self._number} of the evidence file {self._path}"

    def header(self) -> dict[str, Any]:
        line = self._next()
        if not isinstance(line, dict) or "evidence_version" not in line:
            raise EvidenceError(
                f"{self._path} is not an evidence file: its first line is no header of gonogo's."
            )
        if line["evidence_version"] != EVIDENCE_VERSION:
            what = f"{self._path} has evidence version {line['evidence_version']}, and this gonogo"
            raise EvidenceError(
                f"{what} ({__version__}) reads version {EVIDENCE_VERSION}: use another gonogo."
            )
        return self._checked(line, _HEADER)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while self._number < len(self._lines):
            line = self._next()
            if not self.truncated:
                yield self._checked(line, _shape(line))

    def _next(self) -> object:
        text = self._lines[self._number] if self._lines else b""
        self._number += 1
        try:
            return _loads(text)
        except (ValueError, RecursionError) as error:
            if self._number == 1:
                return None
            if text.endswith(b"\n"):
                raise EvidenceError(f"{self.place} is not JSON: {error}.") from error
            self.truncated = True
            return None

    def _checked(self, line: object, shape: jsonschema_rs.Validator) -> dict[str, Any]:
        if error := next(shape.iter_errors(line), None):
            where = "/".join(map(str, error.instance_path)) or "the line"
            raise EvidenceError(f"{self.place} is not as gonogo writes it: {where}: {error.message[:200]}.")
        assert isinstance(line, dict)
        return line


def _shape(line: object) -> jsonschema_rs.Validator:
    if not isinstance(line, dict) or "unsent" not in line:
        return shape_of(line)
    return _UNSENT if "values" in line else _OLDER_UNSENT


def _loads(text: bytes) -> object:
    value = json.loads(text, parse_constant=_refuse)
    if b"\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()  # UnicodeEncodeError where a surrogate stands alone
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")


def _object(**properties: object) -> dict[str, object]:
    return {"type": "object", "required": list(properties), "properties": properties}


_STRING = {"type": "string"}
_STRING_OR_NULL = {"type": ["string", "null"]}

_HEADER = jsonschema_rs.validator_for(
    _object(
        gonogo=_STRING,
        started=_STRING,
        target={
            **_object(base_url=_STRING, model=_STRING_OR_NULL, embedding_model=_STRING_OR_NULL),
            "additionalProperties": False,
        },
    )
    | {"patternProperties": {"^extra_body$": {"type": "object"}}}  # absent in older files
)
_UNSENT = jsonschema_rs.validator_for(
    _object(
        unsent=_STRING,
        reason={"enum": list(_REASONS)},
        about={"type": "array", "items": _STRING},
        values={
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        },
    )
)
_OLDER_UNSENT = jsonschema_rs.validator_for(_object(unsent=_STRING, reason=_STRING))
