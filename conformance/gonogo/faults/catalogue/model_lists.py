"""Faults of GET /models and GET /models/{model}."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.faults.editing import (
    answer,
    answered,
    body,
    both,
    changed,
    cut,
    header,
    made,
    put,
    raw,
    refused,
    renamed,
    silent,
    status,
)
from gonogo.faults.fault import Fault, fault, under
from gonogo.faults.picks import asked, either

if TYPE_CHECKING:
    from gonogo.faults.editing import Change

LISTS = asked("GET /models", "GET /models #2")
SECOND_LIST = asked("GET /models #2")
SERVED = asked("GET /models/{model} served")
OTHER = asked("GET /models/{model} listed 1")
UNQUOTED = asked('GET /models/{model} with "/" in its id as it is')
UNKNOWN = asked("GET /models/{model} gonogo-no-such-model")

# Only the second entry is changed if separate rules check the first, which is the requested model.
_ENTRIES = (
    ("models listed without an id", "id-less entries of gateways", "id", cut("data.1.id")),
    ("model ids as numbers", "database keys as ids", "id", put("data.1.id", 7)),
    ("models listed without object", "mozilla-ai/any-llm#1083", "object", cut("data.1.object")),
    ("models that call themselves models", "a plural too many", "object", put("data.1.object", "models")),
    ("models listed without created", "openai-php/client#598", "created", cut("data.1.created")),
    ("models with created_at", "nickna/Conduit PR#27", "created", renamed("data.1.created", "created_at")),
    ("models created at a float", "time.time() as it is", "created", put("data.1.created", 1.7e9 + 0.5)),
    ("models created at a date", "ISO 8601", "created", put("data.1.created", "2024-01-01T00:00:00Z")),
    ("models created at null", "nothing known", "created", put("data.1.created", None)),
    (
        "models listed without an owner",
        "lmstudio-ai/lmstudio-bug-tracker#1988",
        "owned_by",
        cut("data.1.owned_by"),
    ),
    ("models owned by null", "an owner not known", "owned_by", put("data.1.owned_by", None)),
    (
        "a shutdown date as a number",
        "a time stamp as a date",
        "rest",
        put("data.1.shutdown_date", 1_800_000_000),
    ),
    ("names in place of models", "a list of strings", "rest", put("data.1", "scripted")),
    (
        "models created in milliseconds",
        "Date.now() as it is",
        "seconds",
        put("data.1.created", 1_700_000_000_000),
    ),
)

FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, imitates, f"models.entry.{rule}", changed(LISTS, answer(edit)))
        for name, imitates, rule, edit in _ENTRIES
    ),
    fault(
        "no list of models",
        "gateways that serve one model",
        "models.list.there",
        changed(LISTS, refused(404)),
    ),
    fault(
        "the list of models answered with 203",
        "a proxy that rewrites what it forwards (RFC 9110 section 15.3.4)",
        "models.list.status",
        changed(LISTS, status(203)),
    ),
    fault(
        "the list of models as text/plain",
        "EricLBuehler/mistral.rs#79",
        "models.list.content_type",
        changed(LISTS, header("content-type", "text/plain; charset=utf-8")),
    ),
    fault(
        "a web page in place of the list of models",
        "openvinotoolkit/model_server#3555",
        under("models.list", "content_type", "json"),
        changed(LISTS, refused(200, b"<!doctype html><title>Welcome</title>", "text/html")),
    ),
    fault(
        "the list of models as a bare array",
        "a list without its envelope",
        "models.list.json",
        changed(LISTS, answered([{"id": "scripted"}])),
    ),
    fault(
        "an empty body in place of the list of models",
        "a handler that returns nothing",
        "models.list.json",
        changed(LISTS, body(b"")),
    ),
    fault(
        "a list of models that ends early",
        "a buffer that is too small",
        "models.list.json",
        changed(LISTS, raw(lambda data: data[:-2])),
    ),
    fault(
        "the list of models without object",
        "mozilla-ai/any-llm#1083",
        "models.list.object",
        changed(LISTS, answer(cut("object"))),
    ),
    fault(
        "the list of models calls itself models",
        "a literal that was guessed",
        "models.list.object",
        changed(LISTS, answer(put("object", "models"))),
    ),
    fault(
        "no models are null",
        "a nil slice in Go",
        "models.list.data",
        changed(LISTS, answer(put("data", None))),
    ),
    fault(
        "models as a map by id",
        "a dictionary as it is",
        "models.list.data",
        changed(LISTS, answer(made("data", lambda entries: {entry["id"]: entry for entry in entries}))),
    ),
    fault(
        "the list of models under the name models",
        "Ollama's own listing in place of OpenAI's",
        under("models.list", "object", "data"),
        changed(LISTS, answer(cut("object"), renamed("data", "models"))),
    ),
    fault(
        "a model listed twice",
        "an alias with the id of its model",
        "models.list.unique",
        changed(LISTS, answer(made("data", lambda entries: [*entries, dict(entries[1])]))),
    ),
    fault(
        "models created at the time of asking",
        "pollinations/pollinations PR#13875",
        "models.list.stable",
        changed(SECOND_LIST, answer(made("data.1.created", lambda created: created + 1))),
    ),
    fault(
        "a model that comes and goes",
        "a list that depends on the worker that answers",
        "models.list.stable",
        changed(SECOND_LIST, answer(cut("data.1"))),
    ),
    fault(
        "the model that answers is not listed",
        "a server that lists file names and answers to aliases",
        "models.list.serves",
        changed(LISTS, answer(put("data.0.id", "/models/scripted.gguf"))),
    ),
    fault(
        "a listed model cannot be retrieved",
        "ollama/ollama#10139",
        under("models.retrieve", "found", "every"),
        changed(SERVED, refused(404)),
    ),
    fault(
        "retrieving a model is not allowed",
        "BerriAI/litellm#37271",
        under("models.retrieve", "found", "every"),
        changed(SERVED, refused(405)),
    ),
    fault(
        "retrieving a model fails the server",
        "an id that is taken for a path",
        ("models.retrieve.found", "models.retrieve.every", "http.no_server_error"),
        changed(SERVED, refused(500)),
    ),
    fault(
        "a model with a slash in its id cannot be retrieved",
        "kekzl/imp#1599: a route that takes one segment of the path",
        "models.retrieve.every",
        changed(either(OTHER, UNQUOTED), refused(404)),
    ),
    fault(
        "a model that was never loaded fails the server",
        "a registry that holds names without files",
        ("models.retrieve.every", "http.no_server_error"),
        changed(either(OTHER, UNQUOTED), refused(500)),
    ),
    fault(
        "every id retrieves the one model that is loaded",
        "a handler that looks at no id",
        under("models.retrieve", "id", "unknown"),
        both(
            changed(OTHER, answer(put("id", "ideal"))),
            changed(UNKNOWN, answered({"id": "ideal", "object": "model", "created": 0, "owned_by": "x"})),
        ),
    ),
    fault(
        "another model is retrieved",
        "ids that lose their case",
        "models.retrieve.id",
        changed(SERVED, answer(put("id", "SCRIPTED"))),
    ),
    fault(
        "a retrieved model in a list",
        "the handler of the list, filtered",
        under("models.retrieve", "id", "schema"),
        changed(SERVED, answered({"object": "list", "data": []})),
    ),
    fault(
        "a retrieved model with a shutdown date as a number",
        "a time stamp as a date",
        "models.retrieve.schema",
        changed(SERVED, answer(put("shutdown_date", 1_800_000_000))),
    ),
    fault(
        "a retrieved model without an owner",
        "lmstudio-ai/lmstudio-bug-tracker#1988",
        under("models.retrieve", "schema", "agrees"),
        changed(SERVED, answer(cut("owned_by"))),
    ),
    fault(
        "a retrieved model of another owner",
        "two places that make up the same object",
        "models.retrieve.agrees",
        changed(SERVED, answer(put("owned_by", "system"))),
    ),
    fault(
        "a retrieved model of another age",
        "pollinations/pollinations PR#13875",
        "models.retrieve.agrees",
        changed(SERVED, answer(put("created", 1_700_000_000))),
    ),
    fault(
        "an unknown model is retrieved all the same",
        "a server of one model that answers to every name",
        "models.retrieve.unknown",
        changed(
            UNKNOWN,
            answered({"id": "gonogo-no-such-model", "object": "model", "created": 0, "owned_by": "x"}),
        ),
    ),
    fault(
        "an unknown model fails the server",
        "a KeyError",
        "models.retrieve.unknown",
        changed(UNKNOWN, refused(500)),
    ),
    fault(
        "an unknown model drops the connection",
        "a worker that ends",
        "models.retrieve.unknown",
        changed(UNKNOWN, silent(FailureKind.RESET)),
    ),
    fault(
        "an unknown model is a bad request",
        "one status for everything",
        "models.retrieve.unknown_status",
        changed(UNKNOWN, status(400)),
    ),
    fault(
        "no model is listed",
        "a registry that is empty while a model answers",
        "models.list.serves",
        changed(LISTS, answer(put("data", []))),
    ),
)

HARMLESS: dict[str, Change] = {
    'a "/" in an id that is taken as it is only': changed(OTHER, refused(404)),
    'a "/" in an id that is taken encoded only': changed(UNQUOTED, refused(404)),
    "a retrieval that has no time": changed(OTHER, refused(429)),
    "a list of many models": changed(
        LISTS,
        answer(
            made("data", lambda old: [*old, *(old[1] | {"id": f"more-{number}"} for number in range(300))])
        ),
    ),
}
