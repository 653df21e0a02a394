"""A real model, once per session, and tiny ones with random weights for tests that need no meaningful text."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from importlib import import_module
from typing import TYPE_CHECKING

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server.engine.base import Generation, Sampling
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx.engine import Budget, MlxEngine, open_engine
from gonogo_server.engine.mlx.packed.forward import Forward
from gonogo_server.engine.mlx.residents import Limits, Residents
from gonogo_server.engine.mlx.sequence import TokenSequence
from gonogo_server.engine.mlx.ticket import Ticket
from mlx.utils import tree_flatten
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from gonogo_server.engine.base import Engine, Piece
    from gonogo_server.engine.mlx.packed.caches import Caches
    from gonogo_server.engine.mlx.packed.layout import Layout

    MakeFolder = Callable[..., Path]

PATIENCE = 120.0
"""Seconds after which a hanging test is stopped; no test waits for this limit."""

END = "<|im_end|>"
END_TOKEN = 256
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
    "eos_token_id": END_TOKEN,
}


class BrokenHandler(logging.Handler):
    """A log handler that always fails."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("no space left on device")


@pytest.fixture
def broken_log() -> Iterator[None]:
    """Make all logging of the server fail."""
    handler = BrokenHandler()
    logging.getLogger("gonogo_server").addHandler(handler)
    yield
    logging.getLogger("gonogo_server").removeHandler(handler)


@pytest.fixture
def bytes_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer with a token for each byte, and an end token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={byte: index for index, byte in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, chat_template=TEMPLATE)


@pytest.fixture
def make_folder(tmp_path: Path, bytes_tokenizer: PreTrainedTokenizerFast) -> MakeFolder:
    """Makes folders in MLX format: bfloat16 models with random weights, whose config.json has these members."""

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
    """The same with a context that no test can fill."""
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


class Answer(Ticket):
    """An answer that records what it gets; must be created in a running event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[Piece] = []
        self.error: Exception | None = None

    def take(self, result: Piece | Exception) -> None:
        if isinstance(result, Exception):
            self.error = result
        else:
            self.pieces.append(result)

    @property
    def ended(self) -> bool:
        return self.error is not None or bool(self.pieces and self.pieces[-1].finish_reason)

    @property
    def tokens(self) -> list[int]:
        """The ids, without end tokens."""
        return [token.chosen.id for piece in self.pieces for token in piece.logprobs]

    @property
    def cached(self) -> int:
        return self.pieces[0].cached


class ByHand:
    """The state of the engine's thread without the thread: a step is taken when the test says so."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.owned = Residents(limits)
        self.name = folder.name
        self.loaded = self.owned.load(locate(str(folder)))
        self.batch = self.owned._batches[self.name]
        self.prefixes = self.owned._prefixes

    def ask(
        self,
        prompt: Sequence[int],
        max_tokens: int = 24,
        *,
        matcher: object = None,
        top_logprobs: int = 0,
        without_end: bool = True,
        bias: Sequence[tuple[int, float]] = (),
        first: bool = True,
        **sampling: float | None,
    ) -> Answer:
        """Add an answer, sampled at temperature 1 with seed 1, without the end token."""
        answer = Answer()
        banned = [(END_TOKEN, -100.0)] if without_end else []
        how = Sampling(**({"seed": 1} | sampling), logit_bias=(*bias, *banned))
        generation = Generation(tuple(prompt), max_tokens, how, top_logprobs, first=first)
        self.owned.add(self.name, TokenSequence(answer, generation, self.loaded.text, matcher))
        return answer

    async def step(self, steps: int = 1) -> None:
        for _ in range(steps):
            self.owned.step()
            await asyncio.sleep(0)

    async def run(self, *answers: Answer) -> list[Answer]:
        """Take steps until nothing is left to do, which is soon with these models."""
        for _ in range(5000):
            busy = self.owned.step()
            await asyncio.sleep(0)
            if not busy:
                assert all(answer.ended or answer.cancelled for answer in answers)
                return list(answers)
        raise AssertionError("an answer never ended")

    async def tokens(self, *arguments: object, **named: object) -> list[int]:
        """The tokens of an answer that runs alone."""
        (answer,) = await self.run(self.ask(*arguments, **named))
        assert answer.error is None
        return answer.tokens


@pytest.fixture
def by_hand() -> Iterator[Callable[..., ByHand]]:
    """Opens a folder; prompts are read 16 tokens a step."""
    opened: list[ByHand] = []

    def open_one(folder: Path, **limits: int) -> ByHand:
        opened.append(ByHand(folder, Limits(**({"read_step": 16} | limits))))
        return opened[-1]

    yield open_one
    # Not `release`, which takes a moment to collect garbage in the whole process.
    for one in opened:
        one.batch.close()


@pytest.fixture
def shapes_read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The shapes that Llamas read from here on: the batch of single tokens, and the length of each longer sequence."""
    shapes: list[tuple[int, int]] = []
    compute = Forward.__call__

    def counted(forward: Forward, layout: Layout, caches: Caches) -> mx.array:
        read = [len(share.tokens) for share in layout.shares]
        shapes.extend((1, tokens) for tokens in read if tokens > 1)
        if 1 in read:
            shapes.append((read.count(1), 1))
        return compute(forward, layout, caches)

    monkeypatch.setattr(Forward, "__call__", counted)
    return shapes


@pytest.fixture(scope="session")
def smollm2() -> Iterator[MlxEngine]:
    """SmolLM2-135M-Instruct, from the installed package."""
    engine = open_engine(["smollm2"])
    yield engine
    asyncio.run(engine.close())


@pytest.fixture
def pieces() -> Callable[..., object]:
    """All pieces of an answer to a text."""

    async def collect(engine: Engine, prompt: str, max_tokens: int = 8, **sampling: float) -> list[Piece]:
        model = engine.cards()[0].id
        ids = await engine.encode(model, prompt)
        generation = Generation(ids, max_tokens, Sampling(**({"temperature": 0} | sampling)))
        async with asyncio.timeout(PATIENCE), aclosing(engine.generate(model, generation)) as steps:
            return [piece async for piece in steps]

    return collect
