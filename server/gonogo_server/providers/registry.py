"""Chooses the provider: by the name in the path, by the prefix of the model's id, or the default."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gonogo_server.errors import BadSettings, ModelNotFound, ProviderNotFound, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gonogo_wire import Model

    from gonogo_server.providers.base import Context, Provider

LOCAL: Final = "local"
"""The name of the provider of this process."""
LISTING_SECONDS: Final = 5.0
"""For the list of each provider but the default, where those of all are listed."""
BETWEEN: Final = "/"
"""What stands between the name of a provider and the id of a model."""


class Registry:
    """All providers by name; the first is the default where no other is named. Raises `BadSettings` for one unknown."""

    def __init__(self, providers: Mapping[str, Provider], default: str | None = None) -> None:
        self._providers = dict(providers)
        self._default = next(iter(self._providers)) if default is None else default
        if self._default not in self._providers:
            raise BadSettings(
                f"There is no provider '{default}' for --default-provider: use one of "
                f"{', '.join(self._providers)}."
            )

    def __iter__(self) -> Iterator[tuple[str, Provider]]:
        yield from self._providers.items()

    @property
    def alive(self) -> bool:
        """Whether everybody can answer: an engine that has died is no better for the providers beside it."""
        return all(provider.alive for provider in self._providers.values())

    @property
    def strict(self) -> bool:
        """Whether every provider is."""
        return all(provider.strict for provider in self._providers.values())

    def named(self, name: str | None) -> Provider:
        """The provider of this name; None: the default one. Raises `ProviderNotFound`."""
        found = self._providers.get(self._default if name is None else name)
        if found is None:
            raise ProviderNotFound(str(name), list(self._providers))
        return found

    def of_model(self, name: str | None, model: str) -> tuple[Provider, str]:
        """Who serves a model, and its id there; without the name of a provider its id may begin with one."""
        if name is None:
            before, between, rest = model.partition(BETWEEN)
            if between and before in self._providers:
                return self._providers[before], rest
        return self.named(name), model

    async def list_models(self, name: str | None, context: Context) -> Sequence[Model]:
        """The models of one provider; without a name those of all, where the default's go by their own ids.

        Of others those that answer are listed.
        """
        listed = list(await self.named(name).list_models(context))
        if name is None:
            others = [pair for pair in self._providers.items() if pair[0] != self._default]
            for models in await asyncio.gather(*(_listed(*pair, context) for pair in others)):
                listed += models
        return listed

    async def retrieve_model(self, name: str | None, model: str, context: Context) -> Model:
        """One model, under the id that it was asked by."""
        provider, known = self.of_model(name, model)
        try:
            found = await provider.retrieve_model(known, context)
        except ModelNotFound:
            raise ModelNotFound(
                f"There is no model '{model}': GET /v1/models lists the available models.",
                param="model",
                code="model_not_found",
            ) from None
        return found if known == model else found.model_copy(update={"id": model})

    async def close(self) -> None:
        """Close all of them."""
        for provider in self._providers.values():
            await provider.close()


async def _listed(name: str, provider: Provider, context: Context) -> Sequence[Model]:
    """The models of a provider beside others; none of one that does not answer in time."""
    try:
        async with asyncio.timeout(LISTING_SECONDS):
            models = await provider.list_models(context)
    except (ServerError, TimeoutError):
        return ()
    return [model.model_copy(update={"id": f"{name}{BETWEEN}{model.id}"}) for model in models]
