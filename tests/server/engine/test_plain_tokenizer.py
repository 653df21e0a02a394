"""The tokenizer of a GGUF file behaves as those of transformers and mlx_lm, without importing either."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import pytest
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx.gguf import read_file
from gonogo_server.engine.mlx.gguf_tokenizer import read_tokenizer
from gonogo_server.engine.mlx.plain_tokenizer import PAIRS, PlainTokenizer
from gonogo_server.engine.mlx.reasoning import Reasoning
from gonogo_server.engine.mlx.text import Text
from jinja2 import TemplateError
from mlx_lm.tokenizer_utils import TokenizerWrapper
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = (
    "",
    "Hello, world!  Two  spaces,\n\na line\tand a tab 1234567890",
    "naïve café “quotes” 🙂👩‍🚀 漢字 العربية \u0000\ufffd",
    "<|im_start|>user\nnot a turn<|im_end|>",
    "don't can't I'll 3.14 x_y-z <think> </s>",
)
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
CHATS: tuple[list[dict[str, Any]], ...] = (
    [],
    [{"role": "user", "content": "Hi"}],
    [{"role": "system", "content": "Be brief & <kind>."}, {"role": "user", "content": " Hi \n"}],
    [
        {"role": "user", "content": "Hi", "name": None},
        {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_content": "why"},
        {"role": "tool", "content": "1", "tool_call_id": "c"},
    ],
)
TEMPLATE = """{{ bos_token }}{% for message in messages %}{{ message['role'] }}|{{ message | tojson }}
{% if loop.index == 2 %}{% continue %}{% endif %}{% endfor %}{{ eos_token }}
{%- if enable_thinking %}think{% endif %}{{ tools | tojson }}{{ given }}{% if add_generation_prompt %}>{% endif %}"""
MEMBERS = (
    "added_tokens_decoder",
    "bos_token_id",
    "chat_template",
    "eos_token_id",
    "eos_token_ids",
    "has_chat_template",
    "has_thinking",
    "has_tool_calling",
    "response_transitions",
    "structural_markers",
    "think_end",
    "think_end_tokens",
    "think_start",
    "think_start_tokens",
    "tool_call_end",
    "tool_call_start",
    "tool_parser",
)


def of_bytes(*added: str) -> Tokenizer:
    """A tokenizer whose tokens are bytes and these words."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in added])
    return tokenizer


def both(
    tokenizer: Tokenizer, template: str | None, begin: str | None, end: str | None, ends: Sequence[int] = ()
) -> tuple[PlainTokenizer, TokenizerWrapper]:
    """Our tokenizer and that of the libraries, with the same tokens."""
    tokens = {"bos_token": begin, "eos_token": end}
    named = {name: token for name, token in tokens.items() if token is not None}
    given = {} if template is None else {"chat_template": template}
    theirs = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named, **given)
    ours = PlainTokenizer(
        Tokenizer.from_str(tokenizer.to_str()),
        named=named,
        end_token_ids=frozenset(ends),
        template=template,
    )
    return ours, TokenizerWrapper(theirs, eos_token_ids=ends)


def prompt(tokenizer: Any, chat: list[dict[str, Any]], variables: dict[str, Any]) -> str:  # noqa: ANN401 - one of two
    """The template's prompt, or its error."""
    try:
        text: str = tokenizer.apply_chat_template(
            chat, tokenize=False, add_generation_prompt=True, **variables
        )
    except (TemplateError, ValueError) as error:
        return repr(error)
    return text


def told(tokenizer: Any, name: str) -> Any:  # noqa: ANN401 - one of two
    value = getattr(tokenizer, name)
    return {key: repr(token) for key, token in value.items()} if name == "added_tokens_decoder" else value


@pytest.fixture(scope="module")
def smollm2() -> tuple[PlainTokenizer, TokenizerWrapper]:
    _, metadata = read_file(locate("smollm2").path)
    made = read_tokenizer(metadata)
    return both(
        Tokenizer.from_str(made.backend_tokenizer.to_str()),
        metadata["tokenizer.chat_template"],
        "<|im_start|>",
        "<|im_end|>",
        sorted(made.eos_token_ids),
    )


@pytest.mark.parametrize("name", MEMBERS)
def test_it_reports_the_same_about_smollm2_as_the_libraries(
    smollm2: tuple[PlainTokenizer, TokenizerWrapper], name: str
) -> None:
    ours, theirs = smollm2
    assert told(ours, name) == told(theirs, name)
    assert len(ours) == len(theirs)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("special", [True, False])
def test_texts_are_the_same_tokens_and_back(
    smollm2: tuple[PlainTokenizer, TokenizerWrapper], text: str, *, special: bool
) -> None:
    ours, theirs = smollm2
    ids = ours.encode(text, add_special_tokens=special)
    assert ids == theirs.encode(text, add_special_tokens=special)
    assert ours.decode(ids) == theirs.decode(ids)


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("variables", [{}, {"tools": [CALL]}, {"given": "<&>", "enable_thinking": False}])
def test_conversations_are_the_same_prompts(
    smollm2: tuple[PlainTokenizer, TokenizerWrapper],
    chat: list[dict[str, Any]],
    variables: dict[str, Any],
) -> None:
    thinking = both(of_bytes("<s>", "</s>", "<think>", "</think>"), TEMPLATE, "<s>", "</s>")
    for ours, theirs in (smollm2, thinking):
        assert prompt(ours, chat, variables) == prompt(theirs, chat, variables)


@pytest.mark.parametrize(
    "words",
    [
        *PAIRS,
        ("<|channel>", "<channel|>"),
        ("<|open|>", "<|close|>", "<|sep|>", "<|end_of_msg|>"),
        ("<think>",),
        (),
        ("</s>", "<think>", "</think>"),
    ],
)
def test_marks_of_reasoning_and_named_tokens_are_known_as_the_libraries_know_them(
    words: Sequence[str],
) -> None:
    ours, theirs = both(of_bytes("<s>", *words), None, "<s>", "</s>")
    assert {name: told(ours, name) for name in MEMBERS} == {name: told(theirs, name) for name in MEMBERS}
    assert Reasoning(ours).shown == Reasoning(theirs).shown


def test_grammars_get_the_same_vocabulary(
    smollm2: tuple[PlainTokenizer, TokenizerWrapper],
) -> None:
    ours, theirs = (Text(one, 8192, 49152).grammar_tokenizer for one in smollm2)
    assert ours.eos_token == theirs.eos_token
    assert ours.vocab_size == theirs.vocab_size
    assert all(ours.decode_bytes([token]) == theirs.decode_bytes([token]) for token in range(0, 49152, 97))


LOADS = """
import sys
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx.load import load
assert load(locate("smollm2")).text.chat_prompt([{"role": "user", "content": "Hi"}])
print({"transformers", "mlx_lm", "mlx_lm.generate", "transformers.utils"} & set(sys.modules))
from gonogo_server.engine.mlx.api import Llama, whole
load_model = whole().load_model
import mlx_lm, mlx_lm.models.llama, transformers, transformers.utils.logging
assert mlx_lm.models.llama.Model is Llama
assert mlx_lm.utils.load_model is load_model
assert transformers.utils.logging.get_logger()
assert transformers.AutoTokenizer.from_pretrained
"""


def test_a_gguf_file_is_loaded_without_transformers_and_what_imports_it_later_gets_all_of_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADS], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "set()"), done.stderr
