"""The choices of a request on MLX: which tokens are read for them, and what clients see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx2
    from gonogo_server.engine.mlx.engine import MlxEngine

    Open = Callable[..., MlxEngine]
    Shapes = list[tuple[int, int]]

pytestmark = pytest.mark.anyio

PROMPT = "Nine char"
CHAT = {"model": "endless", "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 3}
TEXT = {"model": "endless", "prompt": PROMPT, "max_tokens": 3}


@pytest.fixture
def engine(open_model: Open, endless_folder: Path) -> MlxEngine:
    """The end token is drawn by chance in one of hundreds of answers, which changes nothing here."""
    return open_model(endless_folder)


def usage(response: httpx2.Response) -> tuple[int, int]:
    """The tokens of the prompt, and how many of them were cached."""
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()["usage"]
    return told["prompt_tokens"], told["prompt_tokens_details"]["cached_tokens"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/completions", TEXT | {"n": 4}),
        ("/completions", TEXT | {"best_of": 4}),
        ("/chat/completions", CHAT | {"n": 4}),
    ],
    ids=["n", "best_of", "chat"],
)
async def test_choices_read_their_prompt_once_and_report_no_cached_tokens_for_it(
    client: httpx2.AsyncClient, shapes_read: Shapes, path: str, body: dict[str, object]
) -> None:
    length, cached = usage(await client.post(path, json=body))
    assert cached == 0
    assert [shape for shape in shapes_read if shape[1] > 1] == [(1, length)]
    # The same request once more finds it in the prefix cache.
    assert usage(await client.post(path, json=body)) == (length, length - 1)
    assert len([shape for shape in shapes_read if shape[1] > 1]) == 1


async def test_of_equal_prompts_in_one_request_that_is_told_as_cached_which_was_not_read(
    client: httpx2.AsyncClient, shapes_read: Shapes
) -> None:
    length, cached = usage(await client.post("/completions", json=TEXT | {"prompt": [PROMPT, PROMPT]}))
    read = sum(rows * tokens for rows, tokens in shapes_read if tokens > 1)
    assert read + cached == length
