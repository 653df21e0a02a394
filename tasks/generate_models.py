# ruff: noqa: INP001 - a script, not a package
"""Generate the package gonogo_wire from the contract; with --check compare it, and exit 1 if it differs.

The settings are in pyproject.toml, [tool.datamodel-codegen]. Further arguments go to datamodel-codegen.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run datamodel-codegen in the root of the repository and return its exit status."""
    command = [sys.executable, "-m", "datamodel_code_generator", *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - our own interpreter


if __name__ == "__main__":
    sys.exit(main())
