"""The first requests of a run: the target is reachable, is an API, accepts the key, and has a model.

A target that cannot be judged at all is reported here, in one sentence, before a hundred requests fail for the same
reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.addresses import url_of
from gonogo.collect.answers import accepted
from gonogo.collect.trust import advice_on_tls
from gonogo.errors import TargetError
from gonogo.exchange import Exchange, FailureKind
from gonogo.stimuli import bodies
from gonogo.stimuli.stimulus import Endpoint, Subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonogo.collect.roles import Recorder

SHOWN_MODELS = 8
SHOWN_MESSAGE = 200
"""Characters of the target's own message."""
NEWER_LIMIT = "max_completion_tokens"
GREETED = "greeting: chat"
"""The key of the first chat with a model."""


async def greet(
    recorder: Recorder,
    *,
    base_url: str,
    model: str | None = None,
    embedding_model: str | None = None,
    has_key: bool = False,
    extra: Mapping[str, object] | None = None,
) -> Subject:
    """The models to request: the named ones, else the first that the target lists; `extra` is passed on.

    A model that refuses max_tokens and names the newer limit, as reasoning models of the API do, is requested with the
    newer one. Raises TargetError, in one sentence, if there is nothing to judge: no connection, no answer, a web page,
    a refused key, no model, a model that is not served, or an answer by which the first of several models is the wrong
    one.
    """
    entries, listing = await _listed(recorder, base_url, has_key=has_key)
    named = model or embedding_model
    if not entries and not named:
        raise TargetError(_no_model(listing, base_url))
    chosen = model or _first(entries, "chat") or named
    if chosen is None:
        raise TargetError("The target lists no model that generates text; give one with --model.")
    subject = Subject(chosen, embedding_model or _first(entries, "embedding", typed=True), extra or {})
    if not model and embedding_model:
        return subject
    chat = await _try_chat(recorder, subject, base_url, has_key=has_key)
    _refuse_unknown({chosen: chat}, entries)
    if _error(chat).get("param") == "model" and not model and len(entries) > 1:
        raise TargetError(
            f'The target refuses the first model of its list, "{chosen}", for chat; give another with '
            "--model."
        )
    return _with_limit(subject, chat)


async def greet_each(
    recorder: Recorder,
    *,
    base_url: str,
    models: Sequence[str],
    embedding_model: str | None = None,
    has_key: bool = False,
    extra: Mapping[str, object] | None = None,
) -> list[Subject]:
    """Several models to request, in this order, each greeted separately; missing models are reported together.

    The embedding model is the same for all. With no model or one, this is the same as `greet`. Raises as `greet` does.
    """
    if len(models) < 2:
        model = models[0] if models else None
        one = greet(
            recorder,
            base_url=base_url,
            model=model,
            embedding_model=embedding_model,
            has_key=has_key,
            extra=extra,
        )
        return [await one]
    entries, _ = await _listed(recorder, base_url, has_key=has_key)
    embedder = embedding_model or _first(entries, "embedding", typed=True)
    subjects = [Subject(model, embedder, extra or {}) for model in models]
    chats = {s.model: await _try_chat(recorder, s, base_url, has_key=has_key) for s in subjects}
    _refuse_unknown(chats, entries)
    return [_with_limit(subject, chats[subject.model]) for subject in subjects]


async def _listed(
    recorder: Recorder, base_url: str, *, has_key: bool
) -> tuple[list[dict[str, object]], Exchange]:
    """The models that the target lists, and the exchange with the list."""
    request = bodies.list_models().build(Subject(""), {})
    listing = await recorder.record(request, id="g1", stimulus="greeting: models")
    _refuse_silence(listing, base_url)
    _refuse_key(listing, has_key=has_key)
    return _entries(listing), listing


async def _try_chat(recorder: Recorder, subject: Subject, base_url: str, *, has_key: bool) -> Exchange:
    """Request one token of chat: it loads the model, and detects early what would otherwise fail a hundred times.

    Raises TargetError if the target does not answer or refuses the key.
    """
    chat = await first_chat(recorder, subject)
    _refuse_silence(chat, base_url)
    _refuse_key(chat, has_key=has_key)
    return chat


async def first_chat(recorder: Recorder, subject: Subject) -> Exchange:
    """Request one token of chat; errors are not raised."""
    request = bodies.post(Endpoint.CHAT, {"max_tokens": 1}).build(subject, {})
    return await recorder.record(request, id="g2", stimulus=GREETED)


def _with_limit(subject: Subject, chat: Exchange) -> Subject:
    error = _error(chat)
    newer = error.get("param") == "max_tokens" and NEWER_LIMIT in str(error.get("message"))
    return replace(subject, limit=NEWER_LIMIT) if newer else subject


def _refuse_unknown(chats: Mapping[str, Exchange], entries: list[dict[str, object]]) -> None:
    """Raise TargetError for models that are refused and not listed, or, without a list, refused while others are not.

    `chats` are the first chats with each model.
    """
    listed = [str(entry["id"]) for entry in entries]
    refused = [model for model, chat in chats.items() if _refuses(chat, model) and model not in listed]
    served = listed or [model for model, chat in chats.items() if accepted(chat)]
    if refused and served:
        names = " and ".join(f'"{model}"' for model in refused)
        shown = ", ".join(served[:SHOWN_MODELS]) + (", …" if len(served) > SHOWN_MODELS else "")
        told = f"it {'lists' if listed else 'answers'} {shown}"
        raise TargetError(f"The target does not serve the model{'s' * (len(refused) > 1)} {names}; {told}.")


def _refuses(chat: Exchange, model: str) -> bool:
    """Whether a request failed because of its model: 404, or 400 that names it."""
    error = _error(chat)
    named = error.get("param") == "model" or model in str(error.get("message"))
    return chat.status == 404 or (chat.status == 400 and named)


def _error(refusal: Exchange) -> Mapping[str, object]:
    """The error object of a refusal with 400 or 404; empty for any other answer."""
    return _error_object(refusal) if refusal.status in {400, 404} else {}


def _error_object(exchange: Exchange) -> Mapping[str, object]:
    body = exchange.json
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _refuse_silence(exchange: Exchange, base_url: str) -> None:
    failure = exchange.failure
    if failure is None:
        if exchange.media_type == "text/html" and exchange.status is not None and exchange.status < 400:
            raise TargetError(
                f"{url_of(base_url, exchange.request.path)} is a web page, not an API; "
                "give the base URL of the API, which usually ends in /v1."
            )
        return
    what = {
        FailureKind.CONNECT: f"Could not connect to {base_url}: {failure.message}; {_advice(failure.message)}",
        FailureKind.TIMEOUT: (
            f"{base_url} gave {failure.message} to {exchange.request.method} {exchange.request.path}; "
            f"{_advice_on_silence(exchange, base_url)}"
        ),
        FailureKind.TOO_LARGE: (
            f"The answer of {base_url} to {exchange.request.method} {exchange.request.path} is too "
            f"large: {failure.message}."
        ),
        FailureKind.PROTOCOL: f"The server at {base_url} does not speak HTTP: {failure.message}.",
    }
    raise TargetError(
        what.get(
            failure.kind, f"{base_url} closed the connection before its first answer: {failure.message}."
        )
    )


def _advice(message: str) -> str:
    return advice_on_tls(message) or "is the server running there?"


def _advice_on_silence(exchange: Exchange, base_url: str) -> str:
    if exchange.request.method == "GET" and exchange.status is None and base_url.startswith("https:"):
        return "does it expect http:// instead? If the server is slow, raise --timeout."
    return "if the server is slow, raise --timeout."


def _refuse_key(exchange: Exchange, *, has_key: bool) -> None:
    if exchange.status not in {401, 403}:
        return
    advice = (
        "it rejects the key in GONOGO_API_KEY, OPENAI_API_KEY or --header"
        if has_key
        else "it needs an API key; set GONOGO_API_KEY"
    )
    raise TargetError(f"The target answered {exchange.status}: {advice}.")


def _no_model(listing: Exchange, base_url: str) -> str:
    url = url_of(base_url, "/models")
    if listing.status == 404:
        return (
            f"{url} does not exist (404). Check the base URL (it usually ends in /v1); if it is "
            "correct, give the model with --model."
        )
    if listing.status == 200:
        return f"{url} lists no model; give the model with --model."
    return (
        f"{url} answered {listing.status}{_said(listing)}. If only the list of models fails, give the model "
        "with --model."
    )


def _said(exchange: Exchange) -> str:
    """The message of an error object, quoted and shortened; empty without one."""
    message = _error_object(exchange).get("message")
    if not (isinstance(message, str) and message):
        return ""
    shown = message if len(message) <= SHOWN_MESSAGE else f"{message[:SHOWN_MESSAGE]}…"
    return f' ("{shown}")'


def _entries(listing: Exchange) -> list[dict[str, object]]:
    """The models that can be requested: an id that is not text, or has a lone surrogate, cannot be sent."""
    body = listing.json
    data = body.get("data") if isinstance(body, dict) else None
    entries = data if isinstance(data, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and _is_text(entry.get("id"))]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _first(entries: list[dict[str, object]], kind: str, *, typed: bool = False) -> str | None:
    """The first entry of that `type` (our extension, also used by others); an untyped one counts unless `typed`."""
    accepted = {kind} if typed else {kind, None}
    return next((str(entry["id"]) for entry in entries if entry.get("type") in accepted), None)
