"""Packed passes: they compute what mlx_lm computes, and read tokens that a grammar forces in the same pass."""

from __future__ import annotations

import gc
import json
from itertools import chain
from typing import TYPE_CHECKING, Any

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx.api import whole
from gonogo_server.engine.mlx.grammar import GrammarMask
from gonogo_server.engine.mlx.load import Loaded, load
from gonogo_server.engine.mlx.logits import Penalties
from gonogo_server.engine.mlx.packed.batch_invariance import ROW_COUNTS, is_batch_invariant
from gonogo_server.engine.mlx.packed.generator import PackedGenerator
from gonogo_server.engine.mlx.packed.pace import Pace
from gonogo_server.engine.mlx.residents import Limits, Residents
from gonogo_server.engine.mlx.sampler import greedy
from gonogo_server.errors import ModelUnavailable
from gonogo_server.schemas.structured import enforced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Processor = Callable[[mx.array, mx.array], mx.array]

pytestmark = pytest.mark.skipif(
    mx.default_device().type != mx.DeviceType.cpu, reason="passes are packed on a CPU only"
)

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "city": {"enum": ["Paris", "Berlin", "Oslo"]},
    },
    "required": ["name", "age", "city"],
    "additionalProperties": False,
}


class Unforced(GrammarMask):
    """A grammar that forces no token, so that each is sampled."""

    def forced(self, most: int) -> list[int]:
        del most
        return []

    @property
    def ended(self) -> bool:
        return False


class Bench:
    """Answers of one model by either generator, greedy."""

    def __init__(self, folder: str) -> None:
        self.loaded: Loaded = load(locate(folder))
        self.passes = 0
        self.logprobs: list[Any] = []
        """The log probabilities of the latest answers."""
        assert self.loaded.packed is not None

    def packed(self, rows: int = 16, *, batch_invariant: bool = False) -> PackedGenerator:
        assert self.loaded.packed is not None
        return PackedGenerator(
            self.loaded.packed,
            end_tokens=self.loaded.text.end_tokens,
            rows=rows,
            step_size=16,
            batch_invariant=batch_invariant,
        )

    def plain(self) -> Any:  # noqa: ANN401 - mlx_lm has no types
        stops = [[token] for token in sorted(self.loaded.text.end_tokens)]
        return whole().BatchGenerator(self.loaded.model, stop_tokens=stops, prefill_step_size=16)

    def answers(
        self,
        generator: Any,  # noqa: ANN401 - one or the other
        prompts: Sequence[Sequence[int]],
        max_tokens: int = 24,
        processors: Callable[[], list[Processor]] = list,
        *,
        wants_logprobs: bool = False,
    ) -> list[list[int]]:
        """The tokens of each answer; each prompt is inserted one pass after the one before it."""
        tokens: dict[int, list[int]] = {}
        waiting, open_ones, self.passes, logprobs = list(prompts), set(), 0, {}
        while waiting or open_ones:
            if waiting:
                one = {
                    "max_tokens": [max_tokens],
                    "caches": None,
                    "all_tokens": [[]],
                    "samplers": [greedy],
                    "logits_processors": [processors()],
                }
                if isinstance(generator, PackedGenerator):
                    one["wants_logprobs"] = [wants_logprobs]
                (uid,) = generator.insert([list(waiting.pop(0))], **one)
                tokens[uid] = []
                open_ones.add(uid)
            self.passes += 1
            for answer in generator.next()[1]:
                tokens[answer.uid].append(answer.token)
                logprobs.setdefault(answer.uid, []).append(answer.logprobs)
                if answer.finish_reason is not None:
                    open_ones.discard(answer.uid)
        self.logprobs = [logprobs[uid] for uid in tokens]
        return list(tokens.values())

    def text(self, tokens: Sequence[int]) -> str:
        return b"".join(self.loaded.text.decode(tokens)).decode()


@pytest.fixture(scope="module")
def smol() -> Bench:
    return Bench("smollm2")


@pytest.fixture
def tiny(make_folder: Callable[..., Path]) -> Bench:
    """Two layers, and fewer heads for keys than for queries."""
    return Bench(str(make_folder(num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2)))


def asked(bench: Bench, *questions: str) -> list[tuple[int, ...]]:
    return [bench.loaded.text.chat_prompt([{"role": "user", "content": one}]) for one in questions]


def grammar(bench: Bench, kind: type[GrammarMask] = GrammarMask) -> Callable[[], list[Processor]]:
    rule = f"start: {enforced(SCHEMA, 'p', 'c')}"
    return lambda: [kind(bench.loaded.text.matcher(rule))]


def test_sequences_that_come_and_go_have_the_tokens_of_mlx_lm(tiny: Bench) -> None:
    prompts = [range(10, 100), (1, 2, 3), range(200, 240), (5,), range(50, 67)]
    plain = tiny.answers(tiny.plain(), prompts)
    assert tiny.answers(tiny.packed(), prompts) == plain
    assert tiny.answers(tiny.packed(rows=2), prompts) == plain


def test_a_short_prompt_gets_its_first_token_while_a_long_one_is_read(tiny: Bench) -> None:
    generator = tiny.packed()
    uids = []
    for prompt in (range(10, 410), range(5, 15)):
        uids += generator.insert(
            [list(prompt)],
            max_tokens=[1],
            caches=None,
            all_tokens=[[]],
            samplers=[greedy],
            logits_processors=[[]],
            wants_logprobs=[False],
        )
    answered: list[int] = []
    passes = []
    while len(answered) < 2:
        passes.append(len(answered))
        answered += [answer.uid for answer in generator.next()[1]]
    long, short = uids
    assert answered == [short, long]
    assert passes.count(0) <= 5
    # Of 16 tokens a pass, at least 12 belong to the long prompt.
    assert len(passes) <= 400 / 12 + 2


def test_the_greedy_answers_of_a_real_model_are_those_of_mlx_lm(smol: Bench) -> None:
    prompts = asked(smol, "What is rain?", "Name three metals.")
    alone = [smol.answers(smol.plain(), [prompt])[0] for prompt in prompts]
    assert [smol.answers(smol.packed(), [prompt])[0] for prompt in prompts] == alone
    assert smol.answers(smol.packed(), prompts) == alone


def test_joined_weights_are_in_memory_once(make_folder: Callable[..., Path]) -> None:
    folder = str(make_folder(hidden_size=256, intermediate_size=1024, num_hidden_layers=4))
    gc.collect()
    before = mx.get_active_memory()
    bench = Bench(folder)
    gc.collect()
    assert mx.get_active_memory() - before < 1.1 * bench.loaded.nbytes


def test_forced_tokens_save_passes_and_change_no_text(smol: Bench) -> None:
    prompts = asked(smol, "Anna, 31, lives in Oslo.", "Tom is 54 and from Berlin.")
    drawn = smol.answers(smol.packed(), prompts, 48, grammar(smol, Unforced))
    slow = smol.passes
    forced = smol.answers(smol.packed(), prompts, 48, grammar(smol))
    assert [smol.text(one) for one in forced] == [smol.text(one) for one in drawn]
    assert smol.passes < 0.7 * slow
    assert all(SCHEMA["required"] == list(json.loads(smol.text(one))) for one in forced)  # type: ignore[comparison-overlap]


def test_an_answer_that_is_forced_from_end_to_end_needs_no_pass(smol: Bench) -> None:
    rule = f"start: {enforced({'const': {'city': 'Oslo'}}, 'p', 'c')}"
    generator = smol.packed()
    (answer,) = smol.answers(
        generator, asked(smol, "Where?"), 48, lambda: [GrammarMask(smol.loaded.text.matcher(rule))]
    )
    assert json.loads(smol.text(answer)) == {"city": "Oslo"}
    assert answer[-1] in smol.loaded.text.end_tokens
    assert smol.passes == 1
    assert generator.prompt_cache_nbytes == 0


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_forced_tokens_are_cut_at_the_limit(smol: Bench, limit: int) -> None:
    whole = smol.answers(smol.packed(), asked(smol, "Anna is 31."), 48, grammar(smol))[0]
    assert smol.answers(smol.packed(), asked(smol, "Anna is 31."), limit, grammar(smol))[0] == whole[:limit]


def test_an_answer_with_log_probabilities_has_all_its_tokens_sampled(smol: Bench) -> None:
    prompts = asked(smol, "Anna is 31.")
    drawn = smol.answers(smol.packed(), prompts, 48, grammar(smol, Unforced), wants_logprobs=True)
    assert smol.answers(smol.packed(), prompts, 48, grammar(smol), wants_logprobs=True) == drawn


def test_a_text_that_repeats_its_prompt_comes_in_fewer_passes_and_is_the_same(smol: Bench) -> None:
    if not smol.packed()._drafts_are_exact:
        pytest.skip("products of one row and of three differ with this BLAS")
    text = (
        "Captain Ingrid Solberg unloaded forty crates of dried fish, twelve barrels of oil and a small piano."
    )
    prompts = asked(smol, f"Repeat this text: {text}")
    without_drafts = smol.packed()
    without_drafts._drafts_are_exact = False
    (plain,) = smol.answers(without_drafts, prompts, 28)
    slow = smol.passes
    with_drafts = smol.packed()
    # The cost of a draft differs from machine to machine: here it is nothing.
    with_drafts._pace = Pace(lambda: 0.0)
    assert smol.answers(with_drafts, prompts, 28) == [plain]
    assert smol.passes < 0.7 * slow
    for limit in (3, 4, 5):
        assert smol.answers(smol.packed(), prompts, limit) == [plain[:limit]]


def test_several_concurrent_answers_have_no_drafts(smol: Bench) -> None:
    prompts = asked(smol, "Say: one two three one two three one two", "What is rain?")
    without_drafts = smol.packed()
    without_drafts._drafts_are_exact = False
    assert smol.answers(smol.packed(), prompts, 6) == smol.answers(without_drafts, prompts, 6)


def test_a_batch_invariant_answer_is_bit_identical_alone_and_in_a_batch(smol: Bench) -> None:
    assert smol.loaded.packed is not None
    if not is_batch_invariant(smol.loaded.packed, ROW_COUNTS):
        pytest.skip("products differ with the number of rows with this BLAS")
    prompts = asked(smol, "What is rain?", "Name three metals, and say where each of them is found and used.")
    alone = []
    for prompt in prompts:
        smol.answers(smol.packed(batch_invariant=True), [prompt], 4, wants_logprobs=True)
        alone += smol.logprobs
    smol.answers(smol.packed(batch_invariant=True), prompts, 4, wants_logprobs=True)
    assert all(
        mx.array_equal(one, other) for one, other in zip(chain(*alone), chain(*smol.logprobs), strict=True)
    )


def test_a_model_that_cannot_be_deterministic_is_refused(make_folder: Callable[..., Path]) -> None:
    folder = make_folder(
        "windowed",
        num_hidden_layers=2,
        layer_types=["sliding_attention", "full_attention"],
        sliding_window=24,
    )
    with pytest.raises(
        ModelUnavailable, match=r"windowed cannot be deterministic: .* plain Llama models on a CPU"
    ):
        Residents(Limits(deterministic=True)).load(locate(str(folder)))


def test_penalties_count_forced_tokens_as_well() -> None:
    counted, logits = Penalties(0.0, 1.0), mx.zeros((1, 8))
    counted(mx.array([1, 2]), logits)
    lowered = counted(mx.array([1, 2, 5, 5, 6]), logits)
    assert lowered.tolist() == [[0, 0, 0, 0, 0, -2, -1, 0]]
