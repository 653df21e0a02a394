# ruff: noqa: INP001 - named in pyproject.toml, [tool.datamodel-codegen], and imported by datamodel-codegen
"""Make the generated models stop at the first wrong item of an array or object.

A prompt of 300,000 token ids is tried as texts first, and pydantic would keep an error for each of them. That takes
seconds, in which a server does nothing else, and only the first error helps the client.
"""

import re

from datamodel_code_generator.format import CustomCodeFormatter

COLLECTION = re.compile(r"\b(?:list|dict)\[[^\n]*\],\s+Field\(\s*")
"""The type of an array or object, up to the first argument of its `Field`."""


class CodeFormatter(CustomCodeFormatter):
    """The class that datamodel-codegen looks for in this module."""

    def apply(self, code: str) -> str:
        """The code with `fail_fast` set for every array and object of values."""
        return COLLECTION.sub(r"\g<0>fail_fast=True, ", code)
