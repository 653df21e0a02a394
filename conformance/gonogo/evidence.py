"""The evidence file: the recorded exchanges with one target, as JSON Lines, so that they can be judged again.

The first line is a header: `{"gonogo": version, "evidence_version": 1, "target": …, "started": …, "extra_body": …}`,
the last one absent in older files. Each further line is one exchange, or
`{"unsent": stimulus, "reason": code, "about": [id, …], "values": {…}}` (`gonogo.reasons` has the codes; older
files have only a sentence as the reason). A run with several models has version 2: its header has
`"models": [id, …]`, `target` names the first of them, and each further line has its `"model"`; an exchange
without one is about the endpoint, and belongs to every model. A chunk of a body is `[seconds, text]`, or
`[seconds, {"base64": …}]` if its bytes are not valid UTF-8 on their own. A body of more than 64 KiB, such as vectors,
is packed without loss: its chunks are `{"zlib": base64 of the whole body, "pieces": [[seconds, bytes], …]}`. A line is
flushed at the end of its exchange, so that a crash loses no recorded exchange. Secrets are never written (see
`gonogo.redaction`).
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, Self

import jsonschema_rs

from gonogo import __version__
from gonogo.errors import EvidenceError
from gonogo.exchange_json import from_json, shape_of, to_json
from gonogo.locking import OTHERS, alone, empty
from gonogo.reasons import Reason
from gonogo.redaction import redact, redact_fields
from gonogo.verdict import Because

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike
    from types import TracebackType

    from gonogo.exchange import Exchange

EVIDENCE_VERSION = 1
SEVERAL_VERSION = 2
"""The version of files with several models: older versions of gonogo would assign all exchanges to one model."""

_REASONS = {reason.value: reason for reason in Reason}
_OLDER_REASONS = {
    "no embedding model is known; give one with --embedding-model": Reason.NO_EMBEDDING_MODEL,
}
"""Sentences in older files on which a verdict depends; any other is shown unchanged."""


@dataclass(frozen=True, slots=True)
class Target:
    """The checked endpoint: its base URL, and the models that were used (None: none of the kind)."""

    base_url: str
    model: str | None = None
    embedding_model: str | None = None


@dataclass(frozen=True, eq=False)
class Record:
    """Everything that one run recorded.

    `started` is the time of its beginning (ISO 8601, UTC). `unsent` maps the keys of stimuli that were not sent to the
    reason; an exchange with such a key was to be repeated, and does not count. `gonogo` is the version that wrote it.
    `truncated` is true if the last line of the file was truncated and is omitted. `extra_body` has the fields that were
    added to the body of every generation. A run with several models has a record for each.
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

    `go_on` makes one that adds to a record instead. `key` is the API key of the run; it is masked wherever it occurs
    (see `gonogo.redaction`). `models` are all requested models, if there are several. Raises `EvidenceError` if the
    file cannot be written.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        target: Target,
        started: str,
        extra_body: Mapping[str, object] | None = None,
        *,
        key: str | None = None,
        models: Sequence[str] = (),
    ) -> None:
        self._path = Path(path)
        self._key = key
        self._file = self._opened(self._path)
        empty(self._file)
        self._write(_header(target, started, redact_fields(extra_body or {}, key), models))

    @classmethod
    def go_on(cls, path: str | PathLike[str], *records: Record, key: str | None = None) -> Self:
        """Replace the file at `path` by these records, one for each model, and append to it.

        The file is replaced in one step, so that a crash at any moment loses no recorded exchange. Raises
        EvidenceError if it cannot be written.
        """
        target = Path(path).resolve()  # the target of a link, not the link
        beside = target.with_name(f"{target.name}.new")
        writer = cls(beside, *_begun(records), key=key, models=_several(records))
        writer.add(*records)
        writer.close()
        with writer._opened(target):  # or another run is writing it
            try:
                beside.replace(target)
            except OSError as error:
                raise writer._unwritable(error) from error
        writer._path, writer._file = target, writer._opened(target)
        return writer

    def _opened(self, path: Path) -> IO[str]:
        """The file, opened for appending and locked against other runs."""
        try:
            file = path.open("a", encoding="ascii", newline="\n")
        except OSError as error:
            raise self._unwritable(error) from error
        if not alone(file):
            file.close()
            raise EvidenceError(f"The evidence file {path} {OTHERS}.")
        return file

    def exchange(self, exchange: Exchange) -> None:
        """Write one exchange, secrets redacted, and flush it."""
        self._write(to_json(redact(exchange, self._key)))

    def unsent(self, key: str, because: Because, model: str | None = None) -> None:
        """Write that this key's stimulus was not sent, and why, secrets redacted; `model` None means every model."""
        line = {
            "unsent": key,
            "reason": because.reason.value,
            "about": because.about,
            "values": redact_fields(because.values, self._key),
        }
        self._write(line if model is None else line | {"model": model})

    def add(self, *records: Record) -> None:
        """Write all records; an exchange in several of them is written once."""
        written: set[str] = set()
        for record in records:
            for exchange in record.exchanges:
                if exchange.id not in written:
                    self.exchange(exchange)
            written |= {exchange.id for exchange in record.exchanges}
        for record in records:
            for stimulus, because in record.unsent.items():
                self.unsent(stimulus, because, record.target.model if len(records) > 1 else None)

    def _write(self, line: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n")
            self._file.flush()
        except OSError as error:
            with suppress(OSError):  # closing flushes once more
                self._file.close()
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> EvidenceError:
        return EvidenceError(f"Cannot write the evidence file {self._path}: {error.strerror}.")

    def close(self) -> None:
        """Close the file; every line has been flushed."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def write(path: str | PathLike[str], *records: Record, key: str | None = None) -> None:
    """Write complete records, one for each model. Raises `EvidenceError` if the file cannot be written."""
    with EvidenceWriter(path, *_begun(records), key=key, models=_several(records)) as writer:
        writer.add(*records)


def _begun(records: Sequence[Record]) -> tuple[Target, str, Mapping[str, object]]:
    return records[0].target, records[0].started, records[0].extra_body


def _several(records: Sequence[Record]) -> list[str]:
    """The models of the records if there are several, else none."""
    return [str(record.target.model) for record in records] if len(records) > 1 else []


def read(path: str | PathLike[str]) -> Record:
    """Read the evidence of one model. Raises `EvidenceError` if the file has several, and as `read_each` does."""
    record, *more = read_each(path)
    if more:
        raise EvidenceError(f"The evidence file {path} covers {len(more) + 1} models; expected one.")
    return record


def read_each(path: str | PathLike[str]) -> tuple[Record, ...]:
    """Read an evidence file, a record for each model. Raises `EvidenceError` with a one-sentence reason.

    A truncated last line, as after a crash, is omitted and reported in `Record.truncated`.
    """
    lines = _Lines(Path(path))
    header = lines.header()
    exchanges: dict[str, Exchange] = {}
    unsent: dict[tuple[str | None, str], Because] = {}
    models = header.get("models", [None])
    for line in lines:
        if (model := line.get("model")) is not None and model not in models:
            raise EvidenceError(f'{lines.place} has the model "{model}", which the first line does not list.')
        if "unsent" in line:
            unsent[model, line["unsent"]] = _because_from_json(line, lines.place)
        elif line["id"] in exchanges:
            raise EvidenceError(f'{lines.place} repeats the exchange id "{line["id"]}".')
        else:
            exchanges[line["id"]] = _exchange_from_json(line, lines.place)
    target = Target(**header["target"])
    return tuple(
        Record(
            target if model is None else replace(target, model=model),
            header["started"],
            tuple(exchange for exchange in exchanges.values() if exchange.model in (None, model)),
            {key: because for (whose, key), because in unsent.items() if whose in (None, model)},
            header["gonogo"],
            lines.truncated,
            header.get("extra_body", {}),
        )
        for model in models
    )


def _exchange_from_json(line: dict[str, Any], place: str) -> Exchange:
    try:
        return from_json(line)
    except ValueError as error:
        raise EvidenceError(f"{place} is not valid gonogo evidence: {error}.") from error


def _header(
    target: Target, started: str, extra_body: Mapping[str, object], models: Sequence[str]
) -> dict[str, Any]:
    return {
        "gonogo": __version__,
        "evidence_version": SEVERAL_VERSION if models else EVIDENCE_VERSION,
        **({"models": models} if models else {}),
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
        raise EvidenceError(f"{place} is not valid gonogo evidence: values: {missing} is missing.")
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
            raise EvidenceError(f"Cannot read the evidence file {path}: {error.strerror}.") from error

    @property
    def place(self) -> str:
        return f"Line {self._number} of the evidence file {self._path}"

    def header(self) -> dict[str, Any]:
        line = self._next()
        if not isinstance(line, dict) or "evidence_version" not in line:
            raise EvidenceError(
                f"{self._path} is not an evidence file: its first line is not a gonogo header."
            )
        if line["evidence_version"] not in (EVIDENCE_VERSION, SEVERAL_VERSION):
            what = f"{self._path} has evidence version {line['evidence_version']}, and this gonogo"
            raise EvidenceError(
                f"{what} ({__version__}) reads versions {EVIDENCE_VERSION} and {SEVERAL_VERSION}: use another gonogo."
            )
        several = line["evidence_version"] == SEVERAL_VERSION
        return self._checked(line, _SEVERAL_HEADER if several else _HEADER)

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
            raise EvidenceError(f"{self.place} is not valid gonogo evidence: {where}: {error.message[:200]}.")
        assert isinstance(line, dict)
        return line


def _shape(line: object) -> jsonschema_rs.Validator:
    if not isinstance(line, dict) or "unsent" not in line:
        return shape_of(line)
    return _UNSENT if "values" in line else _OLDER_UNSENT


def _loads(text: bytes) -> object:
    value = json.loads(text, parse_constant=_refuse)
    if b"\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()  # UnicodeEncodeError for a lone surrogate
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _object(**properties: object) -> dict[str, object]:
    return {"type": "object", "required": list(properties), "properties": properties}


_STRING = {"type": "string"}
_STRING_OR_NULL = {"type": ["string", "null"]}

_HEADER_SHAPE = (
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
_MODELS = {"type": "array", "items": _STRING, "minItems": 2, "uniqueItems": True}
_HEADER = jsonschema_rs.validator_for(_HEADER_SHAPE)
_SEVERAL_HEADER = jsonschema_rs.validator_for({"allOf": [_HEADER_SHAPE, _object(models=_MODELS)]})
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
