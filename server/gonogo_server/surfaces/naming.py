"""Rewrites errors about a chat request for the request that it was made from. No I/O."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def named(names: Mapping[str, str]) -> Iterator[None]:
    """Raise each `BadRequest` about a field of chat again, about what `names` has for its longest beginning."""
    try:
        yield
    except BadRequest as error:
        raise renamed(error, names) from None


def renamed(error: BadRequest, names: Mapping[str, str]) -> BadRequest:
    """The same about another field, in the sentence too."""
    param = error.param
    if param is None:
        return error
    known = [name for name in names if param == name or param.startswith((f"{name}.", f"{name}["))]
    if not known:
        return error
    longest = max(known, key=len)
    own = names[longest] + param.removeprefix(longest)
    message = str(error).replace(f"'{param}'", f"'{own}'").replace(f"'{longest}'", f"'{names[longest]}'")
    return BadRequest(message, param=own, code=error.code)


def refuse_foreign(given: Mapping[str, object] | None, foreign: Mapping[str, str]) -> None:
    """Raise `BadRequest` for a field of another API that would change the answer, and name the one that is meant."""
    for name, own in foreign.items():
        if (given or {}).get(name) is not None:
            raise BadRequest(f"Unknown parameter: '{name}'; {own}.", param=name, code="unknown_parameter")


def unsupported(param: str, why: str) -> BadRequest:
    """For what is in the contract, and not here."""
    return BadRequest(f"'{param}' {why}", param=param, code="unsupported_value")
