"""Rewrites errors about a chat request for the request that it was made from. No I/O."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gonogo_server.errors import BadRequest, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def named(names: Mapping[str, str]) -> Iterator[None]:
    """Raise each `BadRequest` about a field of chat again, about what `names` has for its longest beginning."""
    try:
        yield
    except BadRequest as error:
        raise renamed(error, names) from None
    except UpstreamError as error:
        error.param = _own(error.param, names)
        raise


def renamed(error: BadRequest, names: Mapping[str, str]) -> BadRequest:
    """The same about another field, in the sentence too."""
    param, own = error.param, _own(error.param, names)
    if param is None or own is None or own == param:
        return error
    longest = _longest(param, names)
    message = str(error).replace(f"'{param}'", f"'{own}'").replace(f"'{longest}'", f"'{names[longest]}'")
    return BadRequest(message, param=own, code=error.code)


def _own(param: str | None, names: Mapping[str, str]) -> str | None:
    """What a field of chat is called here; as it came where nothing is known of it."""
    longest = _longest(param or "", names)
    return param if param is None or not longest else names[longest] + param.removeprefix(longest)


def _longest(param: str, names: Mapping[str, str]) -> str:
    """The longest of the names that the field begins with; "" if there is none."""
    known = [name for name in names if param == name or param.startswith((f"{name}.", f"{name}["))]
    return max(known, key=len, default="")


def refuse_foreign(given: Mapping[str, object] | None, foreign: Mapping[str, str]) -> None:
    """Raise `BadRequest` for a field of another API that would change the answer, and name the one that is meant."""
    for name, own in foreign.items():
        if (given or {}).get(name) is not None:
            raise BadRequest(f"Unknown parameter: '{name}'; {own}.", param=name, code="unknown_parameter")


def unsupported(param: str, why: str) -> BadRequest:
    """For what is in the contract, and not here."""
    return BadRequest(f"'{param}' {why}", param=param, code="unsupported_value")
