"""The settings: from options, GONOGO_SERVER_* variables, a file or defaults, in this order of precedence.

The prefix is GONOGO_SERVER_, not GONOGO_, because GONOGO_API_KEY is the key that `gonogo check` sends to its target. A
machine may have both keys, and they differ.
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
from gonogo_server.setting_types import (  # noqa: TC001 - pydantic reads them
    Bytes,
    Count,
    Names,
    Seconds,
    SomeBytes,
    SwitchOrNames,
    Wait,
    WaitOrNo,
)
from gonogo_server.store_settings import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
"""Origins of web pages served from this machine."""

PREFIX: Final = "GONOGO_SERVER_"
SERVICE_LINK: Final = re.compile(
    rf"{PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
    rf"=.*|{PREFIX}(\w+_)?PORT=(tcp|udp|sctp)://.*"
)
"""A variable that Kubernetes sets in every container for a Service whose name is or begins with `gonogo-server`.

Source: Kubernetes, "Service", Discovering services, Environment variables.
"""


def _not_blank(key: SecretStr) -> SecretStr:
    if not read_keys(key.get_secret_value()):
        raise ValueError("the key is empty: set one, or remove it to accept any client")
    return key


Providers = Annotated[
    dict[str, ProviderSettings], NoDecode, BeforeValidator(by_name), AfterValidator(checked_names)
]
"""Upstream providers by name; in an option or a variable NAME=URL, separated by commas."""

Files = Annotated[dict[str, Path], NoDecode, BeforeValidator(named_files)]
"""Files by provider name; in an option or a variable NAME=FILE."""


class Settings(StoreSettings, BaseSettings):
    """All settings; each field is also the variable GONOGO_SERVER_ plus its name in capitals.

    Raises `BadSettings` if the file cannot be read, and pydantic's `ValidationError` if a value is invalid; `read`
    turns both into a sentence.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid")

    config: Path | None = None
    """A TOML file with the settings by these names; options and variables take precedence."""

    engine: Literal["mlx", "scripted"] = "mlx"
    """`scripted` serves fixed answers without a model, for tests of clients."""

    models: Names = ()
    """The models to serve, in the form of `gonogo serve --model`; none: the model of the installed package, if any."""

    download: bool = False
    """Whether a Hugging Face id that is not in the local cache may be downloaded."""

    # ---- gateway

    providers: Providers = {}
    """Servers to which requests are forwarded, under /NAME/v1 and for NAME/MODEL under /v1."""

    quirks: Files = {}
    """Reports of `gonogo check URL --json FILE` by the names of providers, as in `ProviderSettings.quirks`."""

    default_provider: str | None = None
    """The provider under /v1; None: this process if it serves models, else the first provider."""

    print_quirks: bool = False
    """Whether to print at the start how each broken rule of a provider is handled."""

    mark_repairs: bool = False
    """Whether a response header lists the repaired rules of an answer."""

    # ---- several processes

    replicas: NumberOfReplicas = Replicas()
    """Processes under one address, run by Ray Serve; `1-4` scales with the load."""

    # ---- access

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """0 picks a free port."""

    api_key: Annotated[SecretStr, AfterValidator(_not_blank)] | None = None
    """The bearer token that clients must send: one key or several, separated by commas or as a JSON list.

    Without a key and a file, any client is accepted.
    """

    api_key_file: Path | None = None
    """A file with such keys; one per line is accepted too."""

    insecure: bool = False
    """Whether to accept clients without a key beyond loopback."""

    security_headers: bool = True
    """Whether responses tell browsers not to sniff, frame or cache them."""

    allowed_hosts: Names = ()
    """Accepted names in the Host header, besides this machine's own; `*` for any.

    By default, a server on loopback without a key accepts only its own names, other servers any.
    """

    cors_origins: Names = ()
    """Accepted origins of web pages, besides those of this machine; `*` for all."""

    # ---- models in memory

    preload: SwitchOrNames = True
    """Models that are loaded before the server listens; the others are loaded by their first request."""

    model_memory_bytes: Bytes | None = None
    """Idle models are unloaded beyond this size, least recently used first; None: the memory of the machine."""

    idle_unload_seconds: Seconds | None = None
    """Idle time after which a model is unloaded; None: never."""

    kv_cache_bytes: Bytes | None = None
    """Size of the prefix cache; 0 turns it off. None: half the size of the weights in memory, at least 256 MiB and at
    most 1 GiB."""

    # ---- load

    max_running: Count = 16
    """Maximum answers generated at once; a request may have several."""

    deterministic: bool = False
    """Whether answers must be bit-identical whatever other requests run.

    Applies to generative models; models that do not support it (all but plain Llamas on a CPU) are not served.
    """

    batch_bytes: Bytes | None = None
    """Limit for the caches of all running answers; an answer that could exceed it waits for others to end.

    The size is estimated from `max_tokens`, of which many answers need only a part. None: no limit.
    """

    max_queue: Annotated[int, Field(ge=0)] = 64
    """Maximum queued requests beyond `max_running`; further ones are refused with 429."""

    prefill_step: Count | None = None
    """Prompt tokens per prefill step; other answers continue between steps. None: by device."""

    max_tokens_default: Count | None = None
    """Token limit for requests without one; None: the API's default, which is the context for a chat."""

    early_headers: WaitOrNo = 5.0
    """A stream without a token after these seconds begins with comments until the first token; 0: at once.

    Later failures are its last event and have no status. None (`no` in an option or variable): wait for the first
    token.
    """

    request_timeout: Seconds | None = None
    """Time limit of a request in seconds, from its first byte to the last of its answer; None: no limit."""

    max_connections: Count = 512
    """Maximum open connections; further ones get a 503 and are closed."""

    head_timeout: Seconds = 10.0
    """Seconds to receive the head of a request, from the connection or its first byte."""

    body_idle_timeout: Seconds = 15.0
    """Maximum seconds between two parts of a body."""

    body_timeout: Seconds = 120.0
    """Seconds to receive the whole body."""

    max_body_bytes: SomeBytes = ByteSize(8 * 1024**2)
    """Larger request bodies are refused with 413."""

    max_json_depth: Count = 64
    """Bodies whose objects and arrays are nested deeper are refused with 400."""

    max_json_parts: Count = 100_000
    """Bodies with more objects, arrays and members of objects are refused with 400, before they are read."""

    max_json_values: Count = 500_000
    """Bodies with more values (objects, arrays, texts, numbers, …) are refused in the same way."""

    max_schema_bytes: SomeBytes = ByteSize(USUAL.total_bytes)
    """Requests whose schemas (response format and tools) are larger together are refused with 400."""

    max_schema_depth: Count = USUAL.depth
    """So are requests with a schema that is deeper, with references resolved, ..."""

    max_schema_nodes: Count = USUAL.nodes
    """... that has more subschemas, ..."""

    max_schema_enum: Count = USUAL.enum
    """... that has an enumeration with more values, ..."""

    max_schema_pattern: Count = USUAL.pattern
    """... that has a longer pattern in characters, ..."""

    max_schema_seconds: Seconds = USUAL.seconds
    """... or whose grammar takes longer to compile."""

    json_whitespace: Literal["fixed", "free"] = USUAL.whitespace
    """Whitespace in structured outputs and tool calls: one space after commas and colons, or free (slower)."""

    drain_seconds: Wait = 25.0
    """How long open requests may continue after SIGTERM. Below 30, after which container platforms kill by default."""

    # ---- logs and metrics

    log_format: Literal["console", "json", "off"] = "console"
    """Format of events on stderr: text or JSON; `off` leaves only failures of the server itself."""

    log_prompts: bool = False
    """Whether the log may contain messages, prompts and inputs."""

    metrics: bool = False
    """Whether to serve /metrics in the Prometheus text format; it requires the API key, if there is one."""

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
        """Whether this process serves models itself: always without providers, else if models or an engine are set."""
        return not self.providers or bool(self.models) or "engine" in self.model_fields_set

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that clients may use; none: no key is required. Raises `BadSettings` for a file without keys."""
        given = [] if self.api_key is None else read_keys(self.api_key.get_secret_value())
        return (*given, *([] if self.api_key_file is None else keys_of(self.api_key_file)))

    def quirks_of(self, name: str) -> Path | None:
        """The report about a provider."""
        return self.quirks.get(name) or self.providers[name].quirks

    @property
    def schema_limits(self) -> SchemaLimits:
        """The limits for schemas."""
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
        """The sources in order of precedence; the first two may set the path of the file."""
        del dotenv_settings, file_secret_settings  # only named files are read
        said = env_settings()
        path = init_settings().get("config") or said.get("config")
        if _is_service_link(f"{PREFIX}PORT"):
            said.pop("port", None)
        return init_settings, InitSettingsSource(settings_cls, said), _file(settings_cls, path)


def read(options: Mapping[str, object]) -> Settings:
    """The settings; `options` take precedence. Raises `BadSettings` with one sentence about the first error."""
    _check_variables()
    try:
        return Settings(**options)  # type: ignore[arg-type]  # the model validates all values
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
    """Raise `BadSettings` for an unknown variable with our prefix, which is probably a typing error."""
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
    """The source of the value, so that it can be corrected there."""
    if field in options:
        return ""
    variable = PREFIX + field.upper()
    if variable in os.environ and not _is_service_link(variable):
        return f" (from the variable {variable})"
    return " (from the file)"


def _file(settings: type[BaseSettings], path: str | Path | None) -> InitSettingsSource:
    """The settings of the file; none without one. Raises `BadSettings` if it is missing or not TOML."""
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
    """All settings as JSON, with the keys redacted."""
    return settings.model_dump_json(indent=2)
