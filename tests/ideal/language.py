"""A toy model: its tokens are characters, and its text depends on the prompt.

A token id is a code point; END ends a text. At each position the token of the intended sentence has the highest logit,
and twenty letters follow it, so that temperature, penalties and biases have an effect.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from math import exp, log
from typing import TYPE_CHECKING, Any
from zlib import crc32

from ideal.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Ranked = tuple[tuple[int, float], ...]

END = 0x110000

_SENTENCES = (
    "Hëllo! How can I help you today? Ask 🎉.",
    "Hä? Überall 数 zählen: one, two, three.",
    "Höre: 1️ 2 3, und so weiter bis zehn … ja.",
    "Hé, ça va? Comptons 🌍 un, deux, trois.",
    "Hør, één, twee, drie … så langt er det.",
    "Hå! 你好, let us count: ten, nine, eight.",
)
_LETTERS = "etaoinshrdlucmfwypvbgk"
_WANTED, _LIKELIEST_OTHER, _OTHERS, _UNHEARD_OF = 6.0, 3.0, 20, -8.0


@dataclass(frozen=True, slots=True)
class Sampling:
    """The sampling parameters; `choice` and `seed` vary the random draws."""

    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    bias: Mapping[int, int] = field(default_factory=dict)
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0

    @classmethod
    def of(cls, body: dict[str, Any]) -> Sampling:
        """The parameters of a request. Raises Refusal for an unknown token."""
        bias = {int(key): value for key, value in body.get("logit_bias", {}).items()}
        for token in bias:
            checked(token, "logit_bias")
        names = ("temperature", "top_p", "seed", "frequency_penalty", "presence_penalty")
        return cls(bias=bias, **{name: body[name] for name in names if name in body})


@dataclass(frozen=True, slots=True)
class Drawn:
    """A generated token, and the likeliest tokens at its position with their log probabilities, best first."""

    token: int
    logprob: float
    ranked: tuple[tuple[int, float], ...]

    @property
    def text(self) -> str:
        """The token as text; "" for END."""
        return "" if self.token == END else chr(self.token)


def tokens(text: str) -> list[int]:
    """The tokens of a text."""
    return [ord(character) for character in text]


def decoded(ids: list[int], param: str) -> str:
    """The text of tokens. Raises Refusal if one does not exist."""
    return "".join(chr(checked(token, param)) for token in ids)


def checked(token: int, param: str) -> int:
    """The token. Raises Refusal if there is none with this id."""
    if token >= END or 0xD800 <= token < 0xE000:
        raise Refusal(f"There is no token {token}.", param=param, code="invalid_value")
    return token


def sentence(prompt: str) -> str:
    """The text that the model intends to generate for a prompt."""
    return _SENTENCES[crc32(prompt.encode("utf-8", "surrogatepass")) % len(_SENTENCES)]


def speak(
    wanted: str, sampling: Sampling, *, prompt: str = "", choice: int = 0, forced: bool = False
) -> Iterator[Drawn]:
    """Draw tokens along the wanted text, END last; `forced` allows no other text, as a grammar does."""
    draws = random.Random(f"{sampling.seed}/{choice}/{prompt}")
    said: Counter[int] = Counter()
    for token in [*tokens(wanted), END]:
        ranked = _ranked(token, said, sampling)
        chosen = (token, dict(ranked)[token]) if forced or token == END else _draw(ranked, sampling, draws)
        said[chosen[0]] += 1
        yield Drawn(*chosen, ranked[:_OTHERS])
        if chosen[0] == END:
            return


def read(text: str) -> list[Drawn]:
    """The tokens of a given text, with the probabilities with which they would be drawn."""
    return [
        Drawn(d.token, d.logprob, d.ranked) for d in speak(text, Sampling(), forced=True) if d.token != END
    ]


def _ranked(wanted: int, said: Counter[int], sampling: Sampling) -> Ranked:
    """Tokens with their log probabilities, likeliest first."""
    if not (sampling.bias or sampling.frequency_penalty or sampling.presence_penalty):
        return _as_usual(wanted)
    return _ranked_by(wanted, said, sampling)


@cache
def _as_usual(wanted: int) -> Ranked:
    """The same where no parameter changes it, as for nearly every token."""
    return _ranked_by(wanted, Counter(), Sampling())


def _ranked_by(wanted: int, said: Counter[int], sampling: Sampling) -> Ranked:
    others = [ord(letter) for letter in _LETTERS if ord(letter) != wanted][:_OTHERS]
    logits = {wanted: _WANTED} | {t: _LIKELIEST_OTHER - n / 4 for n, t in enumerate(others)}
    for token, bias in sampling.bias.items():
        logits[token] = logits.get(token, _UNHEARD_OF) + bias
    for token, times in said.items():
        if token in logits:
            logits[token] -= times * sampling.frequency_penalty + sampling.presence_penalty
    norm = log(sum(exp(value) for value in logits.values()))
    told = ((t, value - norm) for t, value in logits.items())
    return tuple(sorted(told, key=lambda pair: (-pair[1], pair[0])))


def _draw(ranked: Ranked, sampling: Sampling, draws: random.Random) -> tuple[int, float]:
    """The likeliest token, or a random one of the likeliest."""
    if sampling.temperature == 0:
        return ranked[0]
    weights: list[float] = []
    total = 0.0
    for _, logprob in ranked:
        if weights and total >= sampling.top_p:
            break
        total += exp(logprob)
        weights.append(exp((logprob - ranked[0][1]) / max(sampling.temperature, 0.01)))
    return draws.choices(ranked[: len(weights)], weights)[0]
