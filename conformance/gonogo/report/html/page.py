"""The frame of an HTML page: templates that escape everything, one style, one script, and a strict policy.

A page is one file. Its Content-Security-Policy forbids loading resources, and all scripts and styles except the two in
the page itself, which it identifies by SHA-256. Every value in a template is escaped. Unprintable characters, such as
control characters and marks that change the direction of the text, are shown as escapes.
"""

from __future__ import annotations

import base64
import functools
import hashlib

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gonogo import __version__

STYLES = ("base.css",)
SCRIPTS = ("base.js",)


def page(
    template: str, *, styles: tuple[str, ...] = STYLES, scripts: tuple[str, ...] = SCRIPTS, **values: object
) -> str:
    """The template, which extends `base.html`, filled with these values, with a trailing line break.

    `styles` and `scripts` are files in the folder of the templates; they are inserted into the page in this order.
    """
    style, script = together(styles), together(scripts)
    shared = {"style": Markup(style), "script": Markup(script), "policy": policy(style, script)}  # noqa: S704 - ours
    return environment().get_template(template).render(**shared, version=__version__, **values) + "\n"


@functools.cache
def environment() -> Environment:
    """The template environment of this package, which escapes all values."""
    return Environment(
        loader=PackageLoader("gonogo.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def printable(value: object) -> object:
    r"""The text with unprintable characters escaped (\x1b, \n, \u202e); numbers and our own markup are unchanged.

    HTML escaping comes after this.
    """
    if isinstance(value, Markup) or not isinstance(value, str) or value.isprintable():
        return value
    return "".join(escaped(character) for character in value)


def escaped(character: str) -> str:
    """The character, or its escape if it is unprintable."""
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy that allows only this style and this script."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def together(files: tuple[str, ...]) -> str:
    """The concatenated files from the folder of the templates."""
    loader = environment().loader
    assert loader is not None
    return "".join(loader.get_source(environment(), name)[0] for name in files)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
