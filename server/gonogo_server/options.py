"""The options of `gonogo serve`: the fields of `settings` on a command line."""

from __future__ import annotations

import argparse
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM: Final = "gonogo serve"


def parser() -> argparse.ArgumentParser:
    """The parser of the options; its result contains only those that were given."""
    made = _Parser(
        prog=PROGRAM,
        description="Serve models through an OpenAI-compatible API.",
        epilog="Each option can also be set by an environment variable (GONOGO_SERVER_PORT, "
        'GONOGO_SERVER_MODELS with commas) or in a TOML file (models = ["a", "b"]). Options take '
        "precedence over variables, variables over the file. GONOGO_SERVER_API_KEY, which has no "
        "option, sets the key that clients must send. BYTES accepts units: 512MiB, 2GB. Defaults are "
        "in parentheses.",
        argument_default=argparse.SUPPRESS,
    )
    _add_models(made.add_argument_group("models").add_argument)
    _add_providers(made.add_argument_group("gateway to other servers").add_argument)
    _add_limits(made.add_argument_group("limits").add_argument)
    server = made.add_argument_group("server").add_argument
    _add_server(server)
    _add_store(server)
    server("--print-config", action="store_true", help="print the settings without keys, and exit")
    server("--api-key", action=_NoKey, nargs="?", help=argparse.SUPPRESS)
    return made


class _Parser(argparse.ArgumentParser):
    """Reports a mistake in one line, with similar options, in place of the usage of 50 options."""

    def error(self, message: str) -> NoReturn:
        unknown = re.match(r"unrecognized arguments: --([a-z-]+)", message)
        hint = self._similar(unknown[1]) if unknown else ""
        self.exit(2, f"{self.prog}: {message.rstrip('.')}.{hint} {self.prog} --help lists the options.\n")

    def _similar(self, option: str) -> str:
        found = get_close_matches(option, re.findall(r"--([a-z-]+)", self.format_usage()))
        return f" Did you mean {' or '.join(f'--{name}' for name in found)}?" if found else ""


class _NoKey(argparse.Action):
    """Refuses a key on the command line, where every process of the machine could read it."""

    def __call__(self, parser: argparse.ArgumentParser, *_given: object) -> NoReturn:
        parser.error(
            "A key on the command line is visible to other users: set GONOGO_SERVER_API_KEY instead."
        )


def _add_models(add: Callable[..., object]) -> None:
    add(
        "--model",
        action="append",
        dest="models",
        metavar="MODEL",
        help="the model to serve: a folder in MLX format, a folder with an adapter (LoRA) that names its "
        "base, a .gguf file (architecture llama, qwen2 or qwen3; byte-level BPE with the pre-tokenizer "
        "gpt-2, smollm, llama-bpe or qwen2; tensors F32, F16, BF16, Q4_0, Q4_1, Q8_0, Q2_K or Q6_K), "
        "or a Hugging Face id; repeatable",
    )
    add(
        "--download",
        action="store_true",
        help=("download a Hugging Face model that is not in the local cache"),
    )
    add("--preload", metavar="yes|no|MODELS", help="load all, none, or these models before listening (yes)")
    add("--model-memory-bytes", metavar="BYTES", help="unload idle models beyond this memory")
    add("--idle-unload-seconds", metavar="S", help="unload a model after this idle time")
    add(
        "--kv-cache-bytes",
        metavar="BYTES",
        help="size of the prefix cache; 0 turns it off (half the size of the models, 256MiB to 1GiB)",
    )


def _add_providers(add: Callable[..., object]) -> None:
    add(
        "--provider",
        action="append",
        dest="providers",
        metavar="NAME=URL",
        help="forward requests for /NAME/v1, and for NAME/MODEL under /v1, to this base URL; or only a "
        "known NAME (openai, cerebras, ollama, vllm, lmstudio, mlx-lm, llama-cpp); repeatable, also "
        "for one NAME with several servers; the variable NAME_API_KEY has its key",
    )
    add(
        "--quirks",
        action="append",
        metavar="NAME=FILE",
        help=(
            "repair, emulate or refuse what the provider breaks according to this report (gonogo check URL "
            "--json FILE)"
        ),
    )
    add(
        "--default-provider",
        metavar="NAME",
        help=("the provider that answers under /v1 (this process, else the first)"),
    )
    add(
        "--print-quirks",
        action="store_true",
        help="print how each broken rule of the providers is handled",
    )
    add(
        "--mark-repairs",
        action="store_true",
        help="list the repaired rules of an answer in a header",
    )


def _add_limits(add: Callable[..., object]) -> None:
    add("--max-running", metavar="N", help="maximum answers generated at once (16)")
    add(
        "--batch-bytes",
        metavar="BYTES",
        help="maximum size of their key-value caches together (no limit)",
    )
    add(
        "--deterministic",
        action="store_true",
        help="make answers independent of other requests (slower; only plain Llamas on a CPU)",
    )
    add("--max-queue", metavar="N", help="maximum queued requests; further ones get a 429 (64)")
    add("--prefill-step", metavar="N", help="prompt tokens per prefill step (by device)")
    add("--max-tokens-default", metavar="N", help="token limit for requests without one (as many as fit)")
    add(
        "--early-headers",
        metavar="S|no",
        help="begin a stream after S seconds without a token, with comments until the first one (5)",
    )
    add("--request-timeout", metavar="S", help="time limit for a request (no limit)")
    add("--max-connections", metavar="N", help="maximum open connections (512)")
    add("--head-timeout", metavar="S", help="time limit to receive the head of a request (10)")
    add("--body-idle-timeout", metavar="S", help="time limit between two parts of a body (15)")
    add("--body-timeout", metavar="S", help="time limit to receive a body (120)")
    add("--max-body-bytes", metavar="BYTES", help="refuse larger bodies with 413 (8MiB)")
    add("--max-json-depth", metavar="N", help="refuse deeper nested bodies with 400 (64)")
    add("--max-json-parts", metavar="N", help="refuse bodies with more objects, arrays and members (100000)")
    add("--max-json-values", metavar="N", help="refuse bodies with more values of any kind (500000)")
    add("--max-schema-bytes", metavar="BYTES", help="refuse requests whose schemas are larger (256KiB)")
    add("--max-schema-depth", metavar="N", help="refuse deeper schemas, with references resolved (100)")
    add("--max-schema-nodes", metavar="N", help="refuse schemas with more subschemas (5000)")
    add("--max-schema-enum", metavar="N", help="refuse enumerations with more values (2000)")
    add("--max-schema-pattern", metavar="N", help="refuse longer patterns, in characters (1000)")
    add("--max-schema-seconds", metavar="S", help="time limit to compile a grammar (5)")
    add(
        "--json-whitespace",
        choices=["fixed", "free"],
        help="whitespace in structured outputs; free leaves it to the model, which is slower (fixed)",
    )


def _add_server(add: Callable[..., object]) -> None:
    add("--config", metavar="FILE", help="read settings from a TOML file")
    add("--host", help="the address to listen on (127.0.0.1)")
    add(
        "--allowed-host",
        action="append",
        dest="allowed_hosts",
        metavar="NAME",
        help="accept this name in the Host header, besides this machine's own; repeatable, * for any",
    )
    add("--port", type=int, help="the port to listen on; 0 picks a free one (8000)")
    add(
        "--replicas",
        metavar="N|MIN-MAX",
        help=(
            "run several processes under one address with Ray Serve (extra `ray`); 1-4 scales with the "
            "load (1)"
        ),
    )
    add("--engine", choices=["mlx", "scripted"], help="scripted: fixed answers without a model, for tests")
    add("--drain-seconds", metavar="S", help="how long open requests may continue after SIGTERM (25)")
    add("--log-format", choices=["console", "json", "off"], help="format of log events on stderr (console)")
    add("--log-prompts", action="store_true", help="include prompts in the log")
    add("--metrics", action="store_true", help="serve Prometheus metrics at /metrics")
    add(
        "--api-key-file", metavar="FILE", help=("a file with the API keys that clients may use, one per line")
    )
    add("--insecure", action="store_true", help="accept requests without a key from other machines")
    add(
        "--no-security-headers",
        action="store_false",
        dest="security_headers",
        help="omit the headers that tell browsers not to sniff, frame or cache responses",
    )


def _add_store(add: Callable[..., object]) -> None:
    add(
        "--responses-store",
        metavar="FILE|memory",
        help="store responses, to be retrieved, deleted and continued by their id (no store)",
    )
    add(
        "--responses-store-seconds",
        metavar="S",
        help="delete unused responses after it (2592000)",
    )
    add(
        "--responses-store-count",
        metavar="N",
        help="delete the least recently used beyond it (10000)",
    )
    add("--responses-store-bytes", metavar="BYTES", help="the same, by their size (256MiB)")
