"""The settings: from options, GONOGO_SERVER_* variables, a file or defaults, in this order of precedence.

The prefix is GONOGO_SERVER_ and not GONOGO_, as GONOGO_API_KEY is the key that `gonogo check` sends to whatever it
checks: a machine may have both, and they are not the same.
"""

from __future__ import annotations

import os
import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ByteSize,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gonogo_server.errors import BadSettings
from gonogo_server.keys import keys_of, read_keys
from gonogo_server.provider_settings import ProviderSettings, by_name, checked_names, named_files
from gonogo_server.replica_settings import NumberOfReplicas, Replicas
from gonogo_server.schemas.limits import USUAL, SchemaLimits
from gonogo_server.store_settings import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
"""Web pages served from this machine."""

PREFIX: Final = "GONOGO_SERVER_"
SERVICE_LINK: Final = re.compile(
    rf"{PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
    rf"=.*|{PREFIX}(\w+_)?PORT=(tcp|udp|sctp)://.*"
)
"""A variable that Kubernetes sets in every container for a Service named `gonogo-server`, or with more behind that.

Source: Kubernetes, "Service", Discovering services, Environment variables.
"""
SWITCH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _switch_or_names(value: object) -> object:
    return SWITCH.get(value.lower(), _split(value)) if isinstance(value, str) else value


def _not_blank(key: SecretStr) -> SecretStr:
    if not read_keys(key.get_secret_value()):
        raise ValueError("the key is empty: set one, or remove it to accept any client")
    return key


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Several names; in a variable with commas between them."""

SwitchOrNames = Annotated[bool | tuple[str, ...], NoDecode, BeforeValidator(_switch_or_names)]
"""All (true), none (false), or the named ones."""

Providers = Annotated[
    dict[str, ProviderSettings], NoDecode, BeforeValidator(by_name), AfterValidator(checked_names)
]
"""Upstream providers by name; in an option or a variable NAME=URL, several with commas between them."""

Files = Annotated[dict[str, Path], NoDecode, BeforeValidator(named_files)]
"""Files by the names of providers; in an option or a variable NAME=FILE."""

Bytes = Annotated[ByteSize, Field(ge=0)]
"""A number of bytes, or a text such as 512MiB or 2GB."""

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]

Wait = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Seconds, perhaps none."""


def _none_if_no(value: object) -> object:
    return None if isinstance(value, str) and value.lower() == "no" else value


class Settings(StoreSettings, BaseSettings):
    """Everything that can be set; each field is also the variable GONOGO_SERVER_ and its name in capitals.

    Raises `BadSettings` if the file cannot be read, and pydantic's `ValidationError` where a value is not usable;
    `read` says both in a sentence.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid")

    config: Path | None = None
    """A TOML file with the settings by these names; what options and variables say wins over it."""

    engine: Literal["mlx", "scripted"] = "mlx"
    """`scripted` serves fixed answers without a model, for tests of clients."""

    models: Names = ()
    """What to serve, as `gonogo serve --model` takes it; none: the model of the installed package, if any."""

    download: bool = False
    """Whether a Hugging Face id that is not in the local cache may be downloaded."""

    # ---- other servers behind this one

    providers: Providers = {}
    """Servers to which requests are passed on, under /NAME/v1 and by NAME/MODEL under /v1."""

    quirks: Files = {}
    """Reports of `gonogo check URL --json FILE` by the names of providers, as in `ProviderSettings.quirks`."""

    default_provider: str | None = None
    """Who answers under /v1; None: this process where it serves models, else the first provider."""

    print_quirks: bool = False
    """Whether it is shown at the start what is done about the rules that providers break."""

    mark_repairs: bool = False
    """Whether a response header names the rules that an answer of a provider was repaired by."""

    # ---- more than one process

    replicas: NumberOfReplicas = Replicas()
    """Processes that serve the same, under one address, by Ray Serve; `1-4`: as many as the load asks for."""

    # ---- who may ask

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """0 takes a free port."""

    api_key: Annotated[SecretStr, AfterValidator(_not_blank)] | None = None
    """What clients must send as bearer token, one key or several: with commas between them, or a JSON list.

    None, and no file: any client may ask.
    """

    api_key_file: Path | None = None
    """A file with such keys, also one a line."""

    insecure: bool = False
    """Whether any client may ask where the server listens beyond loopback."""

    security_headers: bool = True
    """Whether responses say that browsers are not to guess their type, frame or keep them."""

    allowed_hosts: Names = ()
    """Names in the Host header under which clients may ask, besides this machine's own; `*` for any.

    Without any, a server that listens on loopback and wants no key takes its own names alone, others any.
    """

    cors_origins: Names = ()
    """Origins of web pages that may ask, besides those of this machine; `*` for all."""

    # ---- models in memory

    preload: SwitchOrNames = True
    """Which models are loaded before the server listens; the others are by the first request for them."""

    model_memory_bytes: Bytes | None = None
    """Models that nobody uses are unloaded past it, the longest unused first; None: as much as the machine has."""

    idle_unload_seconds: Seconds | None = None
    """A model that nobody asked for as long is unloaded; None: never."""

    kv_cache_bytes: Bytes | None = None
    """What the prefix cache may hold; 0 turns it off. None: half of what the weights of the models in memory take, at
    least 256 MiB and at most 1 GiB."""

    # ---- load

    max_running: Annotated[int, Field(ge=1)] = 16
    """Answers that are generated at once; a request may have several."""

    deterministic: bool = False
    """Whether the answer to a request may not depend on what else is answered, to the bit.

    Of models that generate; those that cannot be computed so (other than plain Llamas on a CPU) are not served then.
    """

    batch_bytes: Bytes | None = None
    """An answer waits for others of its model to end, rather than that their caches could come to more together.

    What they come to is foreseen from `max_tokens`, of which many answers need a part: None is no limit.
    """

    max_queue: Annotated[int, Field(ge=0)] = 64
    """Requests beyond `max_running` that are taken, to wait for their turn; further ones are refused with 429."""

    prefill_step: Annotated[int, Field(ge=1)] | None = None
    """Tokens of a prompt that are read in one step, between which the others' answers continue; None: by device."""

    max_tokens_default: Annotated[int, Field(ge=1)] | None = None
    """The most tokens of an answer whose request sets no limit; None: what the API says, the context for a chat."""

    early_headers: Annotated[Wait | None, BeforeValidator(_none_if_no)] = 5.0
    """A stream without a token after so many seconds begins nevertheless, with comments until there is one; 0: at once.

    What fails later is its last event, and has no status any more. None (in an option or a variable: `no`): it waits
    for the first token.
    """

    request_timeout: Seconds | None = None
    """Seconds that a request may take from its first byte to the last of its answer; None: without a limit."""

    max_connections: Annotated[int, Field(ge=1)] = 512
    """Connections that are open at once; further ones are answered with 503 and closed."""

    head_timeout: Seconds = 10.0
    """Seconds in which the head of a request has to be there, from the connection or its first byte on."""

    body_idle_timeout: Seconds = 15.0
    """Seconds that may pass between two parts of a body."""

    body_timeout: Seconds = 120.0
    """Seconds in which the whole body has to be there."""

    max_body_bytes: Annotated[ByteSize, Field(ge=1)] = ByteSize(8 * 1024**2)
    """Larger request bodies are refused with 413."""

    max_json_depth: Annotated[int, Field(ge=1)] = 64
    """Bodies whose objects and arrays are nested deeper are refused with 400."""

    max_json_parts: Annotated[int, Field(ge=1)] = 100_000
    """Bodies with more objects, arrays and members of objects are refused with 400, before they are read."""

    max_json_values: Annotated[int, Field(ge=1)] = 500_000
    """Bodies with more values (objects, arrays, texts, numbers, …) are refused in the same way."""

    max_schema_bytes: Annotated[ByteSize, Field(ge=1)] = ByteSize(USUAL.total_bytes)
    """Requests whose schemas (response format and tools) are larger together are refused with 400."""

    max_schema_depth: Annotated[int, Field(ge=1)] = USUAL.depth
    """So are those with a schema that is deeper, references followed, ..."""

    max_schema_nodes: Annotated[int, Field(ge=1)] = USUAL.nodes
    """... that is made of more schemas, ..."""

    max_schema_enum: Annotated[int, Field(ge=1)] = USUAL.enum
    """... that has an enumeration of more values, ..."""

    max_schema_pattern: Annotated[int, Field(ge=1)] = USUAL.pattern
    """... that has a pattern of more characters, ..."""

    max_schema_seconds: Seconds = USUAL.seconds
    """... or whose grammar takes longer to be made."""

    json_whitespace: Literal["fixed", "free"] = USUAL.whitespace
    """Of structured outputs and calls: a space behind each comma and colon, or as the model likes it (slower)."""

    drain_seconds: Wait = 25.0
    """How long open requests may continue after SIGTERM. Below 30, after which container platforms kill by default."""

    # ---- what it tells

    log_format: Literal["console", "json", "off"] = "console"
    """Events on stderr, as lines for people or as JSON; `off` leaves the failures of the server itself."""

    log_prompts: bool = False
    """Whether the log may hold what clients send: messages, prompts and inputs."""

    metrics: bool = False
    """Whether /metrics tells figures in Prometheus' text format; it takes the API key, where there is one."""

    @field_validator("quirks")
    @classmethod
    def _of_providers(cls, quirks: dict[str, Path], info: ValidationInfo) -> dict[str, Path]:
        known = info.data.get("providers", {})
        for name in quirks:
            if name not in known:
                there = ", ".join(known) or "none; add one with --provider NAME=URL"
                raise ValueError(f"there is no provider '{name}'; the providers are: {there}")
        return quirks

    @property
    def has_engine(self) -> bool:
        """Whether this process serves models itself: without providers always, else where something says so."""
        return not self.providers or bool(self.models) or "engine" in self.model_fields_set

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that clients may send; none: no client has to. Raises `BadSettings` for a file without any."""
        given = [] if self.api_key is None else read_keys(self.api_key.get_secret_value())
        return (*given, *([] if self.api_key_file is None else keys_of(self.api_key_file)))

    def quirks_of(self, name: str) -> Path | None:
        """The report about a provider."""
        return self.quirks.get(name) or self.providers[name].quirks

    @property
    def schema_limits(self) -> SchemaLimits:
        """What schemas are held to."""
        return SchemaLimits(
            self.max_schema_bytes,
            self.max_schema_depth,
            self.max_schema_nodes,
            self.max_schema_enum,
            self.max_schema_pattern,
            self.max_schema_seconds,
            self.json_whitespace,
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources, the first to be believed first; which file is known from the two before it."""
        del dotenv_settings, file_secret_settings  # nothing is read that nobody named
        said = env_settings()
        path = init_settings().get("config") or said.get("config")
        if _is_service_link(f"{PREFIX}PORT"):
            said.pop("port", None)
        return init_settings, InitSettingsSource(settings_cls, said), _file(settings_cls, path)


def read(options: Mapping[str, object]) -> Settings:
    """The settings, `options` before everything else. Raises `BadSettings` with one sentence about the first fault."""
    _check_variables()
    try:
        return Settings(**options)  # type: ignore[arg-type]  # whatever was given is checked by the model
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    field, *rest = first["loc"]
    where = _where(str(field), options)
    if first["type"] == "extra_forbidden":
        raise BadSettings(f"There is no setting '{field}'{where}: gonogo serve --help lists the settings.")
    # pydantic also says which member of a union it tried
    name = ".".join(str(part) for part in (field, *rest) if not str(part).startswith(("tuple[", "bool")))
    why = first["msg"].removeprefix("Value error, ")
    raise BadSettings(f"The setting '{name}'{where} is invalid: {why}.")


def _check_variables() -> None:
    """Raise `BadSettings` for a variable of our prefix that is none of ours: it was meant to say something."""
    named = {
        name: name.upper().removeprefix(PREFIX).lower()
        for name in os.environ
        if name.upper().startswith(PREFIX) and not _is_service_link(name)
    }
    unknown = [name for name, field in named.items() if field not in Settings.model_fields]
    if not unknown:
        return
    close = get_close_matches(named[unknown[0]], Settings.model_fields, 1)
    meant = (
        f"did you mean {PREFIX}{close[0].upper()}?" if close else "gonogo serve --help lists the settings."
    )
    raise BadSettings(f"There is no setting for the variable {unknown[0]}: unset it, or {meant}")


def _is_service_link(variable: str) -> bool:
    return SERVICE_LINK.fullmatch(f"{variable}={os.environ.get(variable, '')}") is not None


def _where(field: str, options: Mapping[str, object]) -> str:
    """Where the value came from, so that it can be mended there."""
    if field in options:
        return ""
    variable = PREFIX + field.upper()
    if variable in os.environ and not _is_service_link(variable):
        return f" (from the variable {variable})"
    return " (from the file)"


def _file(settings: type[BaseSettings], path: str | Path | None) -> InitSettingsSource:
    """What the file says; nothing without one. Raises `BadSettings` if it is not there or no TOML."""
    if path is None:
        return InitSettingsSource(settings, {})
    try:
        with Path(path).open("rb"):
            return TomlConfigSettingsSource(settings, Path(path))
    except OSError as error:
        raise BadSettings(f"Cannot read the settings in {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"The settings in {path} are not valid TOML: {error}.") from None


def shown(settings: Settings) -> str:
    """All settings as JSON, with the keys blacked out."""
    return settings.model_dump_json(indent=2)
