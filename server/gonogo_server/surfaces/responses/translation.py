"""Translation of a request for a response into a chat request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.requests.params import given
from gonogo_server.surfaces.responses.echo import echo
from gonogo_server.surfaces.responses.to_chat import translated
from gonogo_server.surfaces.responses.writer import ResponseWriter
from gonogo_server.surfaces.translation import Translation

if TYPE_CHECKING:
    from gonogo_wire import CreateResponseRequest

DEFAULTS: Final = frozenset({"temperature", "top_p"})
"""Fields with a default of the upstream, which is used if the client does not send them; the response has null then."""


def translation(body: CreateResponseRequest) -> Translation:
    """The translated request. Raises `BadRequest`, with `param`, for what a chat completion cannot express."""
    wanted = translated(body, images=True)
    omitted = DEFAULTS - body.model_fields_set
    limits = dict.fromkeys(("max_tokens", "max_completion_tokens"), "max_output_tokens")
    return Translation(
        wanted.chat,
        {**wanted.names, **limits, "stream_options": "stream"},
        ResponseWriter(echo(body) | dict.fromkeys(omitted)),
        given(body.max_output_tokens, None),
        omitted=omitted,
    )
