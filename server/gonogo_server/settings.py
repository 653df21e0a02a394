"""How the server is set up: from the command line, from GONOGO_SERVER_* variables, or by default."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
"""Web pages served from this machine."""


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Several names; in a variable with commas between them."""


class Settings(BaseSettings):
    """Everything that can be set; each field is also the variable GONOGO_SERVER_ and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="GONOGO_SERVER_", extra="forbid")

    engine: Literal["mlx", "scripted"] = "mlx"
    """`scripted` serves fixed answers without a model, for tests of clients."""

    models: Names = ()
    """What to serve, as `gonogo serve --model` takes it; none: the model of the installed package, if any."""

    download: bool = False
    """Whether a Hugging Face id that is not in the local cache may be downloaded."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """0 takes a free port."""

    api_key: SecretStr | None = None
    """What clients must send as bearer token; None: any client may ask."""

    cors_origins: Names = ()
    """Origins of web pages that may ask, besides those of this machine; `*` for all."""

    max_body_bytes: Annotated[int, Field(ge=1)] = 8 * 1024 * 1024
    """Larger request bodies are refused with 413."""
