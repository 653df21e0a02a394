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
"""Names that mean something else: paths of this server, and its own engine."""

Surface: TypeAlias = Literal["chat", "responses", "messages"]
Surfaces: TypeAlias = tuple[Surface, ...] | Literal["auto"]


def base_url(text: str) -> str:
    """The base URL of an API, without a slash at its end; an address alone gets /v1.

    Raises ValueError for what is none.
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"'{text}' is not a base URL: give one like http://127.0.0.1:8080/v1")
    if parts.username is not None:
        raise ValueError(
            "a base URL must not contain a user and password: put the key into an environment variable"
        )
    parts.port  # noqa: B018 - raises ValueError for what is no port
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") or "/v1", parts.query, ""))


def _several(value: object) -> object:
    """One URL or several."""
    urls = [value] if isinstance(value, str) else value
    return tuple(base_url(url) for url in urls) if isinstance(urls, (list, tuple)) else urls


class ProviderSettings(BaseModel):
    """One upstream: the servers of one operator, which serve the same models."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    """Base URLs; requests go to the one with the fewest open ones. None: the preset's."""

    preset: str = "custom"
    """What is known of it; one of `PRESETS`."""

    key_variable: str | None = None
    """The environment variable with its key; None: the preset's, else NAME_API_KEY."""

    quirks: Path | None = None
    """The report of `gonogo check URL --json FILE`: what it breaks is repaired, emulated or refused."""

    surfaces: Surfaces = "auto"
    """The APIs that it has. Requests for responses and messages that it lacks are translated into chat completions.

    "auto": each endpoint is tried once.
    """

    pass_on: tuple[str, ...] = ()
    """Ids of rules that the report says are broken, and about which nothing is done."""

    connect_timeout: Seconds = 5.0
    """Seconds in which a connection has to be there."""

    idle_timeout: Seconds = 300.0
    """Seconds that may pass until an answer begins, and between two parts of it."""

    http2: bool = False
    """Whether HTTP/2 is spoken where the upstream offers it."""

    @model_validator(mode="after")
    def _check(self) -> ProviderSettings:
        if self.preset not in PRESETS:
            raise ValueError(f"there is no preset '{self.preset}': use one of {', '.join(PRESETS)}")
        if not self.urls:
            raise ValueError(f"the preset '{self.preset}' has no default URL: set url")
        return self

    @property
    def known(self) -> Preset:
        """What the preset knows."""
        return PRESETS[self.preset]

    @property
    def urls(self) -> tuple[str, ...]:
        """The base URLs."""
        return self.url or ((self.known.url,) if self.known.url else ())

    def variable(self, name: str) -> str:
        """The environment variable with the key of the provider of this name."""
        usual = re.sub(r"[^A-Z0-9]", "_", name.upper()) + "_API_KEY"
        return self.key_variable or self.known.key_variable or usual


def one(text: str) -> tuple[str, dict[str, Any]]:
    """A provider as an option says it: `NAME=URL`, or the name of a preset. Raises ValueError."""
    name, given, url = text.partition("=")
    if given:
        preset = {"preset": name} if name in PRESETS else {}
        return name, {"url": [url], **preset}
    if PRESETS.get(name, Preset()).url is None:
        known = ", ".join(known for known, preset in PRESETS.items() if preset.url)
        raise ValueError(f"'{text}' is neither NAME=URL nor one of {known}")
    return name, {"preset": name}


def by_name(value: object) -> object:
    """Providers by name, of texts with commas between them, of JSON, or of several texts."""
    if isinstance(value, str):
        value = json.loads(value) if value.lstrip().startswith("{") else value.split(",")
    if not isinstance(value, (list, tuple)):
        return value
    made: dict[str, dict[str, Any]] = {}
    for text in value:
        name, said = one(text)
        if name in made and "url" in said:
            said["url"] = [*made[name].get("url", ()), *said["url"]]
        made[name] = said
    return made


def checked_names(value: dict[str, Any]) -> dict[str, Any]:
    """Raise ValueError for a name that cannot stand in a path."""
    for name in value:
        if name in RESERVED:
            raise ValueError(f"'{name}' is reserved and cannot name a provider: choose another name")
        if not NAME.fullmatch(name):
            raise ValueError(
                f"'{name}' cannot name a provider: use lower-case letters, digits, dots, - and _"
            )
    return value


def named_files(value: object) -> object:
    """Files by the names of providers, of texts `NAME=FILE`."""
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)):
        return texts
    pairs = [text.partition("=") for text in texts]
    if wrong := [name for name, given, file in pairs if not (name and given and file)]:
        raise ValueError(f"'{wrong[0]}' is not NAME=FILE")
    return {name: file for name, _, file in pairs}
