"""Chat template variables of a request (`chat_template_kwargs`, as in vLLM and other servers). No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

RESERVED: Final = frozenset(
    {
        "add_generation_prompt",
        "chat_template",
        "continue_final_message",
        "conversation",
        "conversations",
        "documents",
        "max_length",
        "messages",
        "padding",
        "return_assistant_tokens_mask",
        "return_dict",
        "return_tensors",
        "sanitize_control_tokens",
        "self",
        "tokenize",
        "tokenizer_kwargs",
        "tools",
        "truncation",
    }
)
"""Names that are not variables: arguments of the renderer (transformers), and values that the request has elsewhere."""


def template_variables(given: Mapping[str, Any]) -> dict[str, Any]:
    """The variables by name. Raises `BadRequest` if a request may not set one of them."""
    for name in given:
        if name in RESERVED:
            raise BadRequest(
                f"'{name}' cannot be set in a request: remove it from 'chat_template_kwargs'.",
                param=f"chat_template_kwargs.{name}",
                code="unsupported_parameter",
            )
    return dict(given)
