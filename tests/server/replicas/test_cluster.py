"""The application for a Ray cluster: the Serve config of the manifest builds it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from .conftest import PATIENCE
from .environment import ENV

pytestmark = pytest.mark.unmeasured

MANIFEST = Path(__file__).resolve().parents[3] / "docs/rayservice.yaml"
BUILT = """
import json, sys
from ray.serve.schema import ServeDeploySchema
from gonogo_server.replicas import app
config = ServeDeploySchema.model_validate(json.load(sys.stdin))
(given,) = config.applications
print(given.import_path, type(app(dict(given.args) | {"api_key_file": None, "insecure": True})).__name__)
"""


def test_the_manifest_has_a_serve_config_that_ray_takes(ray_python: Path) -> None:
    config = yaml.safe_load(yaml.safe_load(MANIFEST.read_text())["spec"]["serveConfigV2"])
    built = subprocess.run(
        [ray_python, "-c", BUILT],
        env=ENV,
        input=json.dumps(config),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert built.stdout == "gonogo_server.replicas:app Application\n", built.stderr
