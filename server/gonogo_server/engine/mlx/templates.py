"""Chat templates as transformers renders them, without the rest of transformers: importing that takes a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo_server.engine.mlx.leaves import leaves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

(_rendering,) = leaves("transformers", "utils.chat_template_utils", among=["utils"])


def render(template: str, messages: Sequence[Mapping[str, Any]], **variables: Any) -> str:  # noqa: ANN401 - JSON
    """The text of a conversation, which has a message at least. Raises what the template raises, and `ValueError`.

    As `apply_chat_template` of transformers, members that are null are omitted.
    """
    if not messages:
        raise ValueError("Cannot apply chat template to an empty conversation. Provide at least one message.")
    present = [{name: value for name, value in message.items() if value is not None} for message in messages]
    (text,), _ = _rendering.render_jinja_template([present], chat_template=template, **variables)
    said: str = text
    return said
