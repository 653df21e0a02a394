"""A real model, once a session, and a tiny one with random weights for what does not depend on sense."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from importlib import import_module
from typing import TYPE_CHECKING

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server.engine.base import Generation, Sampling
from gonogo_server.engine.mlx.engine import Budget, MlxEngine, open_engine
from mlx.utils import tree_flatten
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gonogo_server.engine.base import Engine, Piece
    from gonogo_server.engine.mlx.residents import Limits

    MakeFolder = Callable[..., Path]

PATIENCE = 120.0
"""Seconds after which a test that hangs is stopped; nothing waits for it."""

END = "<|im_end|>"
TEMPLATE = (
    "{% for message in messages %}"
    "{% if message.role == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}"
    "{{ message.role + ': ' + message.content + '\n' }}{% endfor %}assistant: "
)
CONFIG = {
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 1,
    "intermediate_size": 64,
    "num_attention_heads": 2,
    "rms_norm_eps": 1e-5,
    "vocab_size": 320,
    "max_position_embeddings": 128,
    "eos_token_id": 256,
}


@pytest.fixture
def bytes_tokenizer() -> PreTrainedTokenizerFast:
    """A token for each byte, and an end token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={byte: index for index, byte in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, chat_template=TEMPLATE)


@pytest.fixture
def make_folder(tmp_path: Path, bytes_tokenizer: PreTrainedTokenizerFast) -> MakeFolder:
    """Folders in MLX format: models in bfloat16 that make no sense, by what their config.json has of its own."""

    def make(name: str = "tiny-llama", *, random: int = 7, **own: object) -> Path:
        config = CONFIG | own
        folder = tmp_path / name
        bytes_tokenizer.save_pretrained(folder)
        (folder / "config.json").write_text(json.dumps(config))
        classes = import_module(f"mlx_lm.models.{config['model_type']}")
        mx.random.seed(random)
        model = classes.Model(classes.ModelArgs.from_dict(config))
        model.set_dtype(mx.bfloat16)
        mx.save_safetensors(str(folder / "model.safetensors"), dict(tree_flatten(model.parameters())))
        return folder

    return make


@pytest.fixture
def tiny_folder(make_folder: MakeFolder) -> Path:
    """A Llama with a context of 128 tokens."""
    return make_folder()


@pytest.fixture
def endless_folder(make_folder: MakeFolder) -> Path:
    """The same with a context that no test lives to see the end of."""
    return make_folder("endless", max_position_embeddings=1_000_000)


@pytest.fixture
def open_model() -> Iterator[Callable[..., MlxEngine]]:
    """`open_engine`, closed after the test."""
    opened: list[MlxEngine] = []

    def open_one(*names: object, limits: Limits | None = None, budget: Budget | None = None) -> MlxEngine:
        opened.append(open_engine([str(name) for name in names], limits=limits, budget=budget))
        return opened[-1]

    yield open_one
    for engine in opened:
        asyncio.run(engine.close())


@pytest.fixture(scope="session")
def smollm2() -> Iterator[MlxEngine]:
    """SmolLM2-135M-Instruct, from the installed package."""
    engine = open_engine(["smollm2"])
    yield engine
    asyncio.run(engine.close())


@pytest.fixture
def pieces() -> Callable[..., object]:
    """All the pieces of an answer to a text."""

    async def collect(engine: Engine, prompt: str, max_tokens: int = 8, **sampling: float) -> list[Piece]:
        model = engine.cards()[0].id
        ids = await engine.encode(model, prompt)
        generation = Generation(ids, max_tokens, Sampling(**({"temperature": 0} | sampling)))
        async with asyncio.timeout(PATIENCE), aclosing(engine.generate(model, generation)) as steps:
            return [piece async for piece in steps]

    return collect
