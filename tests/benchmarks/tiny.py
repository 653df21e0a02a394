"""A model with random weights, for tests that need no meaningful text: a Llama with byte tokens, in MLX format."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = {
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 4,
    "intermediate_size": 64,
    "num_attention_heads": 2,
    "rms_norm_eps": 1e-5,
    "vocab_size": 320,
    "max_position_embeddings": 2048,
    "eos_token_id": 256,
}

WRITE = """
import json, sys
from pathlib import Path
import gonogo_server.engine.mlx
import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_lm.models.llama import Model, ModelArgs
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
config = json.loads(sys.argv[2])
alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
tokenizer = Tokenizer(models.BPE(vocab={byte: index for index, byte in enumerate(alphabet)}, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
template = "{% for m in messages %}{{ m.role + ': ' + m.content + '\\n' }}{% endfor %}assistant: "
PreTrainedTokenizerFast(
    tokenizer_object=tokenizer, eos_token="<|im_end|>", chat_template=template
).save_pretrained(folder)
(folder / "config.json").write_text(json.dumps(config))
mx.random.seed(7)
model = Model(ModelArgs.from_dict(config))
mx.save_safetensors(str(folder / "model.safetensors"), dict(tree_flatten(model.parameters())))
"""


def write(folder: Path) -> Path:
    """Write the model into the folder: four layers, 2 KiB of cache per token in float32, 2,048 tokens of context."""
    subprocess.run([sys.executable, "-c", WRITE, str(folder), json.dumps(CONFIG)], check=True)
    return folder
