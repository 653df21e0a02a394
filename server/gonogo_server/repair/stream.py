"""Repairs an upstream's stream: bytes in, chunks out, unchanged or edited.

The text of an answer is never changed. A stream that ends without a finish reason is never completed: it ends in an
UpstreamError, and so does a stream with an error or unreadable data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.errors import UpstreamError
from gonogo_server.repair import documents
from gonogo_server.repair.errors import upstream_error
from gonogo_server.repair.reading import DONE, EventReader
from gonogo_server.repair.stages.choices import Choices
from gonogo_server.repair.stages.cumulative import Cumulative
from gonogo_server.repair.stages.failing import Failing
from gonogo_server.repair.stages.finish import Finish
from gonogo_server.repair.stages.halves import Halves
from gonogo_server.repair.stages.heading import Heading
from gonogo_server.repair.stages.logprobs import Logprobs
from gonogo_server.repair.stages.naming import of_stream
from gonogo_server.repair.stages.reasons import Reasons
from gonogo_server.repair.stages.roles import Roles
from gonogo_server.repair.stages.tools import Tools
from gonogo_server.repair.stages.usage import Usage
from gonogo_server.repair.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gonogo_server.repair.base import Asked, Document, Noted, Stage
    from gonogo_server.repair.documents import Chunk
    from gonogo_server.repair.reading import Event

RULES: Final = ("chat.stream.done", "completions.stream.done", "stream.content_type", "stream.done_last")
_TRIES: Final = 8
"""How many templates in a row are made that no chunk fits."""
_LONGEST_DONE: Final = 16
"""Bytes of [DONE] as it is seen: in small letters, as a string, with spaces."""


def stages(asked: Asked, noted: Noted, *, cumulative: bool = False) -> list[Stage]:
    """The stages that are always on, in the order in which each relies on those before it."""
    chat: list[Stage] = [Roles(noted)] if asked.operation == "chat" else []
    calls: list[Stage] = [Tools(asked, noted)] if asked.operation == "chat" else []
    return [
        Failing(noted),
        Choices(asked, noted),
        Heading(asked, noted),
        *chat,
        Reasons(asked, noted),
        *calls,
        Cumulative(asked, noted, known=cumulative),
        Halves(asked, noted),
        Logprobs(asked, noted),
        Finish(asked, noted),
        Usage(asked, noted),
    ]


class StreamRepair:
    """Repairs one stream: feed it what comes until it is `done`, then end it.

    `more` are stages that run behind the repairs, on chunks whose choices have an index, a delta or a text, and a
    finish reason. `media_type` is what the upstream called its answer. `cumulative` says that its deltas are known
    to be snapshots. Where `rewrite` is true, every chunk is written again, which drops names that JSON has twice.
    """

    def __init__(
        self,
        asked: Asked,
        noted: Noted,
        more: Sequence[Stage] = (),
        *,
        media_type: str | None = "text/event-stream",
        cumulative: bool = False,
        rewrite: bool = False,
    ) -> None:
        self._asked, self._noted, self._rewrite = asked, noted, rewrite
        self._reader = EventReader(noted)
        own = stages(asked, noted, cumulative=cumulative)
        self._finish = next(stage for stage in own if isinstance(stage, Finish))
        self._usage = next(stage for stage in own if isinstance(stage, Usage))
        self._stages = [*own, *more]
        self._steps = [stage.chunk for stage in self._stages]
        self._template: Template | None = None
        self._tries = _TRIES if asked.operation == "chat" and not more and not rewrite else 0
        self._seen_done = False
        if media_type != "text/event-stream":
            noted("stream.content_type")

    @property
    def done(self) -> bool:
        """Whether nothing more needs to be read: [DONE] has come, and the count of tokens where one was requested.

        A count that was requested may come behind [DONE], or the connection end without it.
        """
        return self._seen_done and (self._usage.has_come or not self._asked.include_usage)

    @property
    def finished(self) -> bool:
        """Whether every choice that began has its finish reason, so that a connection that ends here has ended well."""
        return self._finish.finished

    def feed(self, data: bytes) -> Iterator[Document]:
        """The chunks that continue. UpstreamError after the last one that is good."""
        try:
            for event in self._reader.feed(data):
                yield from self._event(event)
        except UpstreamError:
            yield from self.give_up()
            raise

    def give_up(self) -> Iterator[Document]:
        """What was held of a stream that broke off or failed, so that none of its text is lost; it has no end."""
        for number, stage in enumerate(self._stages):
            if isinstance(stage, Finish):
                for chunk in stage.give_up():
                    yield from self._through(chunk, number + 1)
                return
            for chunk in stage.end():
                yield from self._through(chunk, number + 1)

    def end(self) -> Iterator[Document]:
        """The chunks that come last. UpstreamError if the answer is not finished."""
        for event in self._reader.end():
            yield from self._event(event)
        for number, stage in enumerate(self._stages):
            for chunk in stage.end():
                yield from self._through(chunk, number + 1)
        if not self._seen_done:
            self._noted(of_stream(self._asked, "done"))

    def _event(self, event: Event) -> Iterable[Document]:
        data = event.data
        if self._template is not None:
            chunk = None if event.name else self._template.chunk(data)
            if chunk is not None:
                self._tries = _TRIES
                return (chunk,)
            self._template = None
        if len(data) <= _LONGEST_DONE and data.strip(b'" ').upper() == DONE:
            return self._at_done(data)
        if event.name == "error":
            raise upstream_error(200, {}, data)
        chunks = documents.chunks(data, self._noted)
        if self._seen_done:
            return self._late(chunks)
        if len(chunks) == 1 and not self._rewrite:
            return self._first_through(data, chunks[0])
        return [done for chunk in chunks for done in self._through({**chunk} if self._rewrite else chunk, 0)]

    def _at_done(self, data: bytes) -> Iterable[Document]:
        if self._seen_done or data != DONE:
            self._noted(of_stream(self._asked, "done"))
        self._seen_done = True
        return ()

    def _late(self, chunks: Sequence[Document]) -> Iterable[Document]:
        """Of what follows [DONE] only a count is of use."""
        self._noted("stream.done_last")
        counts = [chunk for chunk in chunks if chunk.get("usage") and not chunk.get("choices")]
        return [done for chunk in counts for done in self._through(chunk, 0)]

    def _first_through(self, data: bytes, chunk: Chunk) -> list[Document]:
        """What all stages make of a chunk; one that each let pass is the template of the next."""
        for number, step in enumerate(self._steps, 1):
            made = step(chunk)
            if type(made) is not tuple or len(made) != 1 or made[0] is not chunk:
                return [done for one in made for done in self._through(one, number)]
        if self._tries:
            self._tries -= 1
            self._template = Template.of(data, chunk)
        return [chunk]

    def _through(self, chunk: Document, at: int) -> list[Document]:
        """What the stages from number `at` on make of a chunk."""
        for number, step in enumerate(self._steps[at:], at + 1):
            made = step(chunk)
            if type(made) is not tuple or len(made) != 1:
                return [done for one in made for done in self._through(one, number)]
            (chunk,) = made
        return [chunk]
