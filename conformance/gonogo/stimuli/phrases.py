"""The meaning of When steps: stimuli to send, or recorded exchanges to read.

A step that begins with "any" adds no request except its `needs`: the rule reads every exchange of that kind, whichever
rule requested it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from gonogo.stimuli import bodies
from gonogo.stimuli.beside import is_beside
from gonogo.stimuli.framing import is_framed
from gonogo.stimuli.fuzzed import Meant, case, is_fuzzed
from gonogo.stimuli.life import baselines, is_sign_of_life, leaving, left_again, suspects
from gonogo.stimuli.played import is_played, played, sight_of
from gonogo.stimuli.repeatable import greedy
from gonogo.stimuli.stimulus import Endpoint, Stimulus
from gonogo.stimuli.surfaces import OWN_ERRORS, PLAIN, STREAMS, SURFACES, where_served
from gonogo.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.stimuli.bodies import Body
    from gonogo.stimuli.surfaces import Surface


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to be sent; its exchange is a subject of the rule."""

    stimulus: Stimulus


@dataclass(frozen=True, slots=True)
class Watch:
    """Every exchange whose stimulus matches; `needs` makes sure that there is one."""

    fits: Callable[[Stimulus], bool]
    needs: tuple[Stimulus, ...]


@dataclass(frozen=True, slots=True)
class Again:
    """The stimulus of the step before, sent once more."""


When = Ask | Watch | Again
when: Vocabulary[Callable[..., When]] = Vocabulary()

_GENERATIONS = {
    "a chat completion": Endpoint.CHAT,
    "a completion": Endpoint.COMPLETIONS,
}


def _register_posts() -> None:
    for noun, endpoint in {**_GENERATIONS, "embeddings": Endpoint.EMBEDDINGS}.items():
        are = "are" if endpoint is Endpoint.EMBEDDINGS else "is"
        when.add(f"{noun} {are} requested with {{body:json}}", _asks(endpoint))
        when.add(f"{noun} {are} wrongly requested with {{body:json}}", _asks(endpoint, valid=False))
        when.add(f'{noun} {are} requested without "{{field}}"', _lacks(endpoint))
        when.add(f"{noun} {are} requested with the bytes {{text:json}}", _raw(endpoint))
    for noun, endpoint in _GENERATIONS.items():
        when.add(f"{noun} is streamed with {{body:json}}", _asks(endpoint, streamed=True))
        when.add(
            f"{noun} is wrongly streamed with {{body:json}}", _asks(endpoint, streamed=True, valid=False)
        )


def _asks(endpoint: Endpoint, *, streamed: bool = False, valid: bool = True) -> Callable[..., When]:
    def ask(body: Body) -> When:
        return Ask(bodies.post(endpoint, body, streamed=streamed, valid=valid))

    return ask


def _lacks(endpoint: Endpoint) -> Callable[..., When]:
    return lambda field: Ask(bodies.post(endpoint, {}, without=(cast("str", field),), valid=False))


def _raw(endpoint: Endpoint) -> Callable[..., When]:
    # Latin-1 maps each character to one byte, so that a scenario can write bytes that are not UTF-8 as \u00xx.
    return lambda text: Ask(bodies.raw_post(endpoint, cast("str", text).encode("latin-1")))


_register_posts()


def _register_surface(surface: Surface) -> None:
    """The requests to a surface; "wrongly" marks those that break its schema."""
    noun, counted = surface.noun, surface.counted
    when.add(f"{noun} is requested with {{body:json}}", _asks_surface(surface.endpoint))
    when.add(f"{noun} is wrongly requested with {{body:json}}", _asks_surface(surface.endpoint, valid=False))
    when.add(f"{noun} is streamed with {{body:json}}", _asks_surface(surface.endpoint, streamed=True))
    when.add(f"the tokens of {counted} are counted with {{body:json}}", _asks_surface(surface.counting))


def _asks_surface(endpoint: Endpoint, *, streamed: bool = False, valid: bool = True) -> Callable[..., When]:
    def ask(body: Body) -> When:
        return Ask(where_served(bodies.post(endpoint, body, streamed=streamed, valid=valid)))

    return ask


for _surface in SURFACES:
    _register_surface(_surface)


@when.phrase("the models are listed")
def _models_listed() -> When:
    return Ask(bodies.list_models())


@when.phrase('the model "{model}" is retrieved')
def _other_model_retrieved(model: str) -> When:
    return Ask(bodies.retrieve_model(model))


@when.phrase('{method:w} is sent to "{path}"')
def _bare(method: str, path: str) -> When:
    return Ask(bodies.bare(method, path))


@when.phrase("the same request is sent again")
def _again() -> When:
    return Again()


def _watch(pattern: str, fits: Callable[[Stimulus], bool], *needs: Stimulus) -> None:
    when.add(pattern, lambda: Watch(fits, needs))


_CHAT = bodies.post(Endpoint.CHAT, {})
_CHAT_STREAM = bodies.post(Endpoint.CHAT, {}, streamed=True)
_BROKEN = bodies.raw_post(Endpoint.CHAT, b"{not json")
_LEFT = leaving()
_LEAVING = frozenset({_LEFT.key, left_again().key})  # valid, though no rule about answers looks at them
_COMPLETION = bodies.post(Endpoint.COMPLETIONS, {})
# Greedy, because that one is sent anyway; models that complete text accept any temperature, unlike some reasoning
# models.
_COMPLETION_STREAM = greedy(Endpoint.COMPLETIONS)


def _is_owed(stimulus: Stimulus) -> bool:
    """Whether a stimulus must be answered: a valid one, a sign of life, a valid case of the fuzz pass."""
    known = case(stimulus.key)
    return (
        stimulus.valid
        or is_sign_of_life(stimulus.key)
        or is_beside(stimulus.key)
        or (known is not None and known.meant is Meant.VALID)
    )


def _is(endpoint: Endpoint, *, streamed: bool) -> Callable[[Stimulus], bool]:
    return lambda stimulus: stimulus.valid and stimulus.endpoint is endpoint and stimulus.streamed is streamed


_watch("any chat completion is requested", _is(Endpoint.CHAT, streamed=False), _CHAT)
_watch("any chat completion is streamed", _is(Endpoint.CHAT, streamed=True), _CHAT_STREAM)
_watch("any completion is requested", _is(Endpoint.COMPLETIONS, streamed=False), _COMPLETION)
_watch("any completion is streamed", _is(Endpoint.COMPLETIONS, streamed=True), _COMPLETION_STREAM)
_watch("any stream is asked for", lambda stimulus: stimulus.valid and stimulus.streamed, _CHAT_STREAM)
_watch(
    "any stream of chunks is asked for",
    lambda s: s.valid and s.streamed and s.endpoint in _GENERATIONS.values(),
    _CHAT_STREAM,
)
_watch(
    "any generation is asked for",
    lambda s: s.valid and s.tokens > 0 and s.endpoint in _GENERATIONS.values(),
    _CHAT,
    _CHAT_STREAM,
)
_watch("any valid request is sent", lambda stimulus: stimulus.valid, _CHAT)
_watch("any request is sent", lambda _: True, _CHAT)
_watch("any request is sent that is to be answered", _is_owed, _CHAT)
_watch(
    "any request is sent that is to be refused",
    lambda s: not (_is_owed(s) or is_framed(s.key) or s.key in _LEAVING),
    _BROKEN,
)
# The contract describes the errors of its own operations; servers are free in the errors of other paths.
_watch("any request is refused", lambda s: s.endpoint not in {Endpoint.OTHER, *OWN_ERRORS}, _BROKEN)
_watch("a sign of life is asked for", lambda s: is_sign_of_life(s.key), _BROKEN)


def _watch_surface(surface: Surface) -> None:
    """Every answer of a surface, whole, streamed, and both."""
    noun = surface.noun.replace("a ", "any ", 1)
    plain, streamed = PLAIN[surface.endpoint], STREAMS[surface.endpoint]
    _watch(f"{noun} is requested", _is(surface.endpoint, streamed=False), plain)
    _watch(f"{noun} is streamed", _is(surface.endpoint, streamed=True), streamed)
    _watch(f"{noun} is given", lambda s: s.valid and s.endpoint is surface.endpoint, plain, streamed)
    _watch(f"{noun} is refused", lambda s: s.endpoint in surface.operations, plain)


for _surface in SURFACES:
    _watch_surface(_surface)


@when.phrase("a client leaves in the middle of a stream")
def _left() -> When:
    return Ask(_LEFT)


@when.phrase("the prompt of a stream that was left is sent again")
def _left_again() -> When:
    return Ask(left_again())


_watch(
    "a sign of life is asked for after a client left in the middle of a stream",
    lambda s: is_sign_of_life(s.key) and _LEFT.key in suspects(s.key),
    _LEFT,
)
_watch("any case of the fuzz pass is sent", lambda s: is_fuzzed(s.key), *baselines())


# ---- behind a gateway ----------------------------------------------------------------------------------------


@when.phrase('a chat completion is requested of which the upstream plays "{name}"')
def _played(name: str) -> When:
    return Ask(played(name, streamed=False))


@when.phrase('a chat completion is requested, by itself, of which the upstream plays "{name}"')
def _played_alone(name: str) -> When:
    return Ask(played(name, streamed=False, alone=True))


@when.phrase('a chat completion is streamed of which the upstream plays "{name}"')
def _played_stream(name: str) -> When:
    return Ask(played(name, streamed=True))


@when.phrase('a chat completion is streamed with usage of which the upstream plays "{name}"')
def _played_usage(name: str) -> When:
    return Ask(played(name, streamed=True, usage=True))


@when.phrase('a chat completion is streamed, and left, of which the upstream plays "{name}"')
def _played_left(name: str) -> When:
    return Ask(played(name, streamed=True, left=True))


_OF_SEVERAL = tuple(played("plain", streamed=bool(number % 2), number=number) for number in range(1, 7))
_OF_TWO = (played("plain", streamed=False, number=7), played("plain", streamed=False, number=8, second=True))
_PLAIN = played("plain", streamed=False)


def _any_of(stimuli: tuple[Stimulus, ...]) -> Callable[[Stimulus], bool]:
    keys = {stimulus.key for stimulus in stimuli}
    return lambda stimulus: stimulus.key in keys


_watch(
    "chat completions of different plays are requested at the same time", _any_of(_OF_SEVERAL), *_OF_SEVERAL
)
_watch("a chat completion is requested of each of two providers", _any_of(_OF_TWO), *_OF_TWO)
_watch("any answer to a play is looked at", lambda s: is_played(s.key), _PLAIN)
_watch("any request to the upstream is looked at", lambda s: sight_of(s.key) is not None, _PLAIN)


@when.phrase('the upstream has played "{name}"')
def _sights(name: str) -> When:
    return Watch(lambda s: (sight_of(s.key) or "").endswith(f": {name}"), ())
