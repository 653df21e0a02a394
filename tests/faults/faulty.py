"""The ideal target with a fault that shows in many places."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ideal.target import IdealTarget

if TYPE_CHECKING:
    from gonogo.exchange import Exchange, Request
    from gonogo.faults.kinds import Faulty


class FaultyTarget:
    """Implements the collector's recorder; the exchange contains the request as it was sent."""

    def __init__(self, faulty: Faulty) -> None:
        self.faulty = faulty
        self._ideal = IdealTarget()

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - its name
        """The exchange with this server."""
        fields = request.json
        asked = (
            self.faulty.read(request.path, dict(fields)) if isinstance(fields, dict) and fields else fields
        )
        exchange = await self._ideal.record(request, id=id, stimulus=stimulus)
        if asked != request.json and (exchange.status == 200 or not self.faulty.validates):
            seen = replace(request, body=json.dumps(asked).encode())
            exchange = await self._ideal.record(seen, id=id, stimulus=stimulus)
        return self.faulty.edit(replace(exchange, request=request))
