"""The options of `gonogo serve`: what `settings` has, on a command line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM: Final = "gonogo serve"


def parser() -> argparse.ArgumentParser:
    """What reads the options; only those that were given are in what it returns."""
    made = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Serve models through an OpenAI-compatible API.",
        epilog="Variables do the same: GONOGO_SERVER_PORT and so on, GONOGO_SERVER_MODELS with commas; so does a"
        ' TOML file with these names (models = ["a", "b"]). Options win over variables, variables over the file.'
        " GONOGO_SERVER_API_KEY, which has no option, sets the key that clients must send. BYTES may be 512MiB or 2GB.",
        argument_default=argparse.SUPPRESS,
    )
    _add_models(made.add_argument_group("models").add_argument)
    _add_providers(made.add_argument_group("other servers behind this one").add_argument)
    _add_limits(made.add_argument_group("limits").add_argument)
    add = made.add_argument_group("server").add_argument
    add("--config", metavar="FILE", help="read settings from a TOML file")
    add("--host", help="the address to listen on (127.0.0.1)")
    add(
        "--allowed-host",
        action="append",
        dest="allowed_hosts",
        metavar="NAME",
        help="a name under which clients may ask, besides this machine's own; may be repeated, * for any",
    )
    add("--port", type=int, help="the port to listen on; 0 takes a free one (8000)")
    add(
        "--replicas",
        metavar="N|MIN-MAX",
        help="serve by several processes under one address, with Ray Serve (extra `ray`); 1-4: by the load (1)",
    )
    add("--engine", choices=["mlx", "scripted"], help="scripted: fixed answers without a model, for tests")
    add("--drain-seconds", metavar="S", help="how long open requests may go on after SIGTERM (25)")
    add("--log-format", choices=["console", "json", "off"], help="events on stderr (console)")
    add("--log-prompts", action="store_true", help="let the log hold what clients send")
    add("--metrics", action="store_true", help="tell figures for Prometheus at /metrics")
    add("--api-key-file", metavar="FILE", help="a file with the keys that clients may send, one a line")
    add("--insecure", action="store_true", help="let any client ask, also from other machines")
    add(
        "--no-security-headers",
        action="store_false",
        dest="security_headers",
        help="leave out the headers that tell browsers not to guess types, frame or keep responses",
    )
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
    add("--print-config", action="store_true", help="show the settings, without keys, and end")
    add("--api-key", action=_NoKey, nargs="?", help=argparse.SUPPRESS)
    return made


class _NoKey(argparse.Action):
    """Refuses a key, which every process of the machine could read on a command line."""

    def __call__(self, parser: argparse.ArgumentParser, *_given: object) -> NoReturn:
        parser.error(
            "A key does not belong on a command line, where others can read it: set GONOGO_SERVER_API_KEY instead."
        )


def _add_models(add: Callable[..., object]) -> None:
    add(
        "--model",
        action="append",
        dest="models",
        metavar="MODEL",
        help="what to serve: a folder in MLX format, a folder with an adapter (LoRA) that names its base, a .gguf file"
        " (architecture llama, qwen2 or qwen3; byte-level BPE split as gpt-2, smollm, llama-bpe or qwen2; tensors F32,"
        " F16, BF16, Q4_0, Q4_1, Q8_0, Q2_K or Q6_K), or a Hugging Face id; may be repeated",
    )
    add("--download", action="store_true", help="download a Hugging Face model that is not here yet")
    add("--preload", metavar="yes|no|MODELS", help="load all, none, or these before listening (yes)")
    add("--model-memory-bytes", metavar="BYTES", help="unload models that nobody uses past it")
    add("--idle-unload-seconds", metavar="S", help="unload a model that nobody used for as long")
    add(
        "--kv-cache-bytes",
        metavar="BYTES",
        help="what the prefix cache may hold; 0 turns it off (half of what the models take, 256MiB to 1GiB)",
    )


def _add_providers(add: Callable[..., object]) -> None:
    add(
        "--provider",
        action="append",
        dest="providers",
        metavar="NAME=URL",
        help="pass requests for /NAME/v1, and for NAME/MODEL under /v1, on to this base URL; or a known NAME alone"
        " (openai, cerebras, ollama, vllm, lmstudio, mlx-lm, llama-cpp); may be repeated, also for one NAME with"
        " several servers; its key is in the variable NAME_API_KEY",
    )
    add(
        "--quirks",
        action="append",
        metavar="NAME=FILE",
        help="repair, emulate or refuse what a provider breaks by this report (gonogo check URL --json FILE)",
    )
    add("--default-provider", metavar="NAME", help="who answers under /v1 (this process, else the first)")
    add(
        "--print-quirks",
        action="store_true",
        help="show what is done about each broken rule of the providers",
    )
    add(
        "--mark-repairs",
        action="store_true",
        help="name the rules that an answer was repaired by, in a header",
    )


def _add_limits(add: Callable[..., object]) -> None:
    add("--max-running", metavar="N", help="answers that are generated at once (16)")
    add(
        "--batch-bytes",
        metavar="BYTES",
        help="what the caches of those may come to together (without a limit)",
    )
    add(
        "--deterministic",
        action="store_true",
        help="answers that do not depend on what else is answered (slower; plain Llamas on a CPU only)",
    )
    add("--max-queue", metavar="N", help="requests that wait beyond those; further ones get a 429 (64)")
    add("--prefill-step", metavar="N", help="tokens of a prompt that are read in one step (by device)")
    add("--max-tokens-default", metavar="N", help="tokens of an answer without a limit (as many as fit)")
    add(
        "--early-headers",
        metavar="S|no",
        help="begin a stream that has no token after S seconds, with comments until there is one (5)",
    )
    add("--request-timeout", metavar="S", help="how long a request may take (without a limit)")
    add("--max-connections", metavar="N", help="connections that are open at once (512)")
    add("--head-timeout", metavar="S", help="how long the head of a request may take to come (10)")
    add("--body-idle-timeout", metavar="S", help="how long a body may stand still (15)")
    add("--body-timeout", metavar="S", help="how long a body may take to come (120)")
    add("--max-body-bytes", metavar="BYTES", help="refuse larger bodies with 413 (8MiB)")
    add("--max-json-depth", metavar="N", help="refuse bodies that are nested deeper with 400 (64)")
    add("--max-json-parts", metavar="N", help="refuse bodies with more objects, arrays and members (100000)")
    add("--max-json-values", metavar="N", help="refuse bodies with more values of any kind (500000)")
    add("--max-schema-bytes", metavar="BYTES", help="refuse requests whose schemas are larger (256KiB)")
    add("--max-schema-depth", metavar="N", help="refuse schemas that are deeper, references followed (100)")
    add("--max-schema-nodes", metavar="N", help="refuse schemas that are made of more schemas (5000)")
    add("--max-schema-enum", metavar="N", help="refuse enumerations of more values (2000)")
    add("--max-schema-pattern", metavar="N", help="refuse patterns of more characters (1000)")
    add("--max-schema-seconds", metavar="S", help="how long a grammar may take to be made (5)")
    add(
        "--json-whitespace",
        choices=["fixed", "free"],
        help="as the model likes it: free, which is slower (fixed)",
    )
