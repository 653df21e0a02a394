"""The configuration of upstream providers, and the forms in which it can be given."""

from __future__ import annotations

import json
import re
from pathlib import Path  # noqa: TC003 - pydantic reads it
from typing import Annotated, Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from gonogo_server.presets import PRESETS, Preset
from gonogo_server.setting_types import Seconds  # noqa: TC001 - pydantic reads it

NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
RESERVED: Final = frozenset({"v1", "health", "metrics", "openapi.json", "local"})
"""Reserved names: paths of this server, and its own engine."""

Surface: TypeAlias = Literal["chat", "responses", "messages"]
Surfaces: TypeAlias = tuple[Surface, ...] | Literal["auto"]


def base_url(text: str) -> str:
    """The base URL of an API, without a trailing slash; an address alone gets /v1.

    Raises ValueError for anything else.
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"'{text}' is not a base URL: give one like http://127.0.0.1:8080/v1")
    if parts.username is not None:
        raise ValueError(
            "a base URL must not contain a user and password: put the key into an environment variable"
        )
    parts.port  # noqa: B018 - raises ValueError for an invalid port
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") or "/v1", parts.query, ""))


def _several(value: object) -> object:
    """The base URLs of one URL or several."""
    urls = [value] if isinstance(value, str) else value
    return tuple(base_url(url) for url in urls) if isinstance(urls, (list, tuple)) else urls


class ProviderSettings(BaseModel):
    """One upstream: the servers of one operator, which serve the same models."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    """Base URLs; a request goes to the one with the fewest open requests. Empty: the preset's URL."""

    preset: str = "custom"
    """The name of a known server in `PRESETS`."""

    key_variable: str | None = None
    """The environment variable with the key; None: the preset's, or else NAME_API_KEY."""

    quirks: Path | None = None
    """The report of `gonogo check URL --json FILE`: rules that it breaks are repaired, emulated or refused."""

    surfaces: Surfaces = "auto"
    """The APIs that it supports. Requests for other responses and messages are translated to chat completions.

    "auto": each endpoint is tried once.
    """

    pass_on: tuple[str, ...] = ()
    """Ids of rules that the report lists as broken and that are left alone."""

    connect_timeout: Seconds = 5.0
    """Time limit to connect."""

    idle_timeout: Seconds = 300.0
    """Time limit until an answer begins, and between two parts of it."""

    http2: bool = False
    """Whether to use HTTP/2 if the upstream offers it."""

    @model_validator(mode="after")
    def _check(self) -> ProviderSettings:
        if self.preset not in PRESETS:
            raise ValueError(f"there is no preset '{self.preset}': use one of {', '.join(PRESETS)}")
        if not self.urls:
            raise ValueError(f"the preset '{self.preset}' has no default URL: set url")
        return self

    @property
    def known(self) -> Preset:
        """The preset."""
        return PRESETS[self.preset]

    @property
    def urls(self) -> tuple[str, ...]:
        """The base URLs."""
        return self.url or ((self.known.url,) if self.known.url else ())

    def variable(self, name: str) -> str:
        """The environment variable with the key of the provider `name`."""
        usual = re.sub(r"[^A-Z0-9]", "_", name.upper()) + "_API_KEY"
        return self.key_variable or self.known.key_variable or usual


def one(text: str) -> tuple[str, dict[str, Any]]:
    """A provider in the form of an option: `NAME=URL`, or the name of a preset. Raises ValueError."""
    name, given, url = text.partition("=")
    if given:
        preset = {"preset": name} if name in PRESETS else {}
        return name, {"url": [url], **preset}
    if PRESETS.get(name, Preset()).url is None:
        known = ", ".join(known for known, preset in PRESETS.items() if preset.url)
        raise ValueError(f"'{text}' is neither NAME=URL nor one of {known}")
    return name, {"preset": name}


def by_name(value: object) -> object:
    """Providers by name, from a comma-separated text, JSON, or several texts."""
    if isinstance(value, str):
        value = json.loads(value) if value.lstrip().startswith("{") else value.split(",")
    if not isinstance(value, (list, tuple)):
        return value
    made: dict[str, dict[str, Any]] = {}
    for text in value:
        name, settings = one(text)
        if name in made and "url" in settings:
            settings["url"] = [*made[name].get("url", ()), *settings["url"]]
        made[name] = settings
    return made


def checked_names(value: dict[str, Any]) -> dict[str, Any]:
    """The value; raises ValueError for a name that cannot be part of a path."""
    for name in value:
        if name in RESERVED:
            raise ValueError(f"'{name}' is reserved and cannot name a provider: choose another name")
        if not NAME.fullmatch(name):
            raise ValueError(
                f"'{name}' cannot name a provider: use lower-case letters, digits, dots, - and _"
            )
    return value


def named_files(value: object) -> object:
    """Files by provider name, from texts `NAME=FILE`."""
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)):
        return texts
    pairs = [text.partition("=") for text in texts]
    if wrong := [name for name, given, file in pairs if not (name and given and file)]:
        raise ValueError(f"'{wrong[0]}' is not NAME=FILE")
    return {name: file for name, _, file in pairs}
