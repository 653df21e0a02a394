"""Renders chat templates with the code of transformers, without importing the rest, which takes a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo_server.engine.mlx.leaves import leaves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

(_rendering,) = leaves("transformers", "utils.chat_template_utils", among=["utils"])


def render(template: str, messages: Sequence[Mapping[str, Any]], **variables: Any) -> str:  # noqa: ANN401 - JSON
    """Render a conversation to text. Raises `ValueError` if there is no message, and any exception of the template.

    Members that are null are omitted, as in `apply_chat_template` of transformers.
    """
    if not messages:
        raise ValueError("Cannot apply chat template to an empty conversation. Provide at least one message.")
    present = [{name: value for name, value in message.items() if value is not None} for message in messages]
    (text,), _ = _rendering.render_jinja_template([present], chat_template=template, **variables)
    rendered: str = text
    return rendered
