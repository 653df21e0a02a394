"""The options of the pytest suite.

`-p gonogo.suite.options` registers them. pytest reads the conftest of a `--pyargs` package only after its command line,
and an entry point would be loaded into every run of pytest wherever gonogo is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

URL, MODEL, EMBEDDING_MODEL = "--gonogo-url", "--gonogo-model", "--gonogo-embedding-model"
EVIDENCE, RESUME, EXTRA_BODY = "--gonogo-evidence", "--gonogo-resume", "--gonogo-extra-body"
ONLY = "--gonogo-only"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options for the target and for recorded evidence; the key comes from the environment."""
    group = parser.getgroup("gonogo", "conformance with the OpenAI contract")
    group.addoption(URL, metavar="URL", help="base URL of the target; it usually ends in /v1")
    group.addoption(
        MODEL,
        action="append",
        default=[],
        metavar="ID",
        help="the model to check (default: the first listed model); repeatable",
    )
    group.addoption(EMBEDDING_MODEL, metavar="ID", help="the embedding model")
    group.addoption(
        EVIDENCE, metavar="FILE", help="judge this recorded run; with a target, record the run in this file"
    )
    group.addoption(
        RESUME,
        action="store_true",
        help="continue the run in the evidence file: send only requests that never reached the target",
    )
    group.addoption(
        EXTRA_BODY, metavar="JSON", help="add the fields of this JSON object to every generation request"
    )
    group.addoption(
        ONLY,
        action="append",
        default=[],
        metavar="ID",
        help="run only this rule or group; repeatable",
    )
