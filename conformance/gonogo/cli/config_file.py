"""`gonogo.toml`: options of `gonogo check` in a file; the command line takes precedence."""

import difflib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

import click

from gonogo.cli.printing import say
from gonogo.errors import UsageError

NAME = "gonogo.toml"
URL = "url"
OF_ONE_RUN = frozenset({"config", "no_config", "discover", "show_plan", "resume", "update_baseline", "help"})
"""Parameters that are not allowed in a file, because they are about one run."""
PAIRS = frozenset({"header", "header_env"})
"""Parameters with NAME=VALUE on the command line, which may be tables in the file."""
KEYS_OF_TARGETS = frozenset({"api-key", "api_key", "key", "token"})


def read_config(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Use the file's options as the command's defaults; without a path, gonogo.toml if it exists.

    Raises UsageError, which names the file and the option, for an invalid option.
    """
    if context.resilient_parsing or context.params.get("no_config"):
        return
    if path is None:
        path = Path(NAME)
        if not path.is_file():
            return
    context.default_map = defaults(path, context.command)
    say(f"Using options from {path}.")


def defaults(path: Path, command: click.Command) -> dict[str, object]:
    """The defaults that the file sets, by the names of the command's parameters. Paths are relative to the file."""
    known = settable(command)
    found = {}
    for key, value in _parsed(path).items():
        name = key.replace("_", "-")
        if name not in known:
            raise UsageError(f"{path}: {_unknown(key, known)}")
        found[str(known[name].name)] = _value(path, key, value, known[name])
    return found


def settable(command: click.Command) -> dict[str, click.Parameter]:
    """The parameters that a file may set, by their keys: the long name of an option, `url` for the base URL."""
    named = {_key_of(parameter): parameter for parameter in command.params}
    return {key: parameter for key, parameter in named.items() if parameter.name not in OF_ONE_RUN}


def _key_of(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Argument):
        return URL
    return max(parameter.opts, key=len).lstrip("-")


def _parsed(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error


def _unknown(key: str, known: Mapping[str, click.Parameter]) -> str:
    if key in KEYS_OF_TARGETS:
        return f'"{key}" is a credential and must not be in this file: set the variable GONOGO_API_KEY.'
    near = difflib.get_close_matches(key, known, 1)
    meant = f'; did you mean "{near[0]}"?' if near else f"; the options are {', '.join(known)}."
    return f'"{key}" is not an option{meant}'


def _value(path: Path, key: str, value: object, parameter: click.Parameter) -> object:
    """The value as click expects it: a list for a repeatable option, a path relative to the file's folder."""
    where = f"{path}: {key}"
    if isinstance(parameter, click.Option) and parameter.is_flag:
        if not isinstance(value, bool):
            raise UsageError(f"{where} must be true or false, not {json.dumps(value, default=str)}.")
        return value
    if parameter.name == "extra_body" and isinstance(value, dict):
        return json.dumps(value)
    if parameter.name in PAIRS and isinstance(value, dict):
        value = [f"{name}={one}" for name, one in value.items()]
    if parameter.multiple:
        return [_one(where, one, parameter, path) for one in (value if isinstance(value, list) else [value])]
    return _one(where, value, parameter, path)


def _one(where: str, value: object, parameter: click.Parameter, path: Path) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(f"{where} must be a string or a number, not {json.dumps(value, default=str)}.")
    try:
        parameter.type.convert(value, parameter, None)
    except click.BadParameter as error:
        raise UsageError(f"{where}: {error.message}") from error
    if isinstance(value, str) and getattr(parameter.type, "func", None) is Path and value != "-":
        return str(path.parent / value)
    return value
