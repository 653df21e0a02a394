"""The Kubernetes manifest matches KubeRay's schema, and everything that it names exists.

`rayservice-v1.json` is a part of KubeRay's own schema; it states its source.
"""

from __future__ import annotations

import copy
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from gonogo_server.settings import Settings

HOUSE = Path(__file__).resolve().parent
MANIFEST = HOUSE.parents[1] / "docs/rayservice.yaml"
Edit = tuple[list[str | int], Any]


def closed(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """A structural schema that forbids unknown fields, like `kubectl apply --validate=strict`."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(part) for name, part in schema.items()}
    if made.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        made.setdefault("additionalProperties", bool(schema.get("x-kubernetes-preserve-unknown-fields")))
    return made


@pytest.fixture(scope="module")
def schema() -> Any:  # noqa: ANN401 - of jsonschema_rs
    kept = json.loads((HOUSE / "rayservice-v1.json").read_text())["openAPIV3Schema"]
    kept["properties"]["metadata"]["properties"] = {"name": {"type": "string"}}
    return jsonschema_rs.validator_for(closed(kept))


@pytest.fixture
def manifest() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(MANIFEST.read_text())
    return read


def test_the_manifest_keeps_to_the_schema_of_kuberay(schema: Any, manifest: dict[str, Any]) -> None:  # noqa: ANN401
    schema.validate(manifest)


@pytest.mark.parametrize(
    "edit",
    [
        (["spec", "rayClusterConfig", "workerGroupSpecs", 0, "replicas"], "two"),
        (["spec", "rayClusterConfig", "workerGroupSpecs", 0, "minreplicas"], 2),
        (["spec", "rayClusterConfig", "headGroupSpec", "rayStartParams", "num-cpus"], 0),
        (["spec", "rayClusterConfig", "authOptions", "mode"], "maybe"),
        (["spec", "serveConfigV2"], {"applications": []}),
    ],
    ids=lambda edit: str(edit[0][-1]),
)
def test_an_invalid_manifest_is_detected(schema: Any, manifest: dict[str, Any], edit: Edit) -> None:  # noqa: ANN401
    *path, last = edit[0]
    changed = copy.deepcopy(manifest)
    place: Any = changed
    for step in path:
        place = place[step]
    place[last] = edit[1]
    assert not schema.is_valid(changed)


def test_it_starts_our_application_with_settings_that_there_are(manifest: dict[str, Any]) -> None:
    (application,) = yaml.safe_load(manifest["spec"]["serveConfigV2"])["applications"]
    module, _, name = application["import_path"].partition(":")
    assert find_spec("gonogo_server.replicas") is not None
    assert (module, name) == ("gonogo_server.replicas", "app")
    assert application["args"].keys() <= Settings.model_fields.keys()
    assert Settings(**application["args"]).replicas == (2, 8)


def test_every_pod_has_no_usage_statistics_and_our_connections(manifest: dict[str, Any]) -> None:
    cluster = manifest["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        (container,) = group["template"]["spec"]["containers"]
        given = {variable["name"]: variable["value"] for variable in container["env"]}
        assert given["RAY_USAGE_STATS_ENABLED"] == "0"
        assert given["RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"] == (
            "gonogo_server.replicas.connections.install"
        )
