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

    from gonogo_server.repair.base import Document, Noted, Requested, Stage
    from gonogo_server.repair.documents import Chunk
    from gonogo_server.repair.reading import Event

RULES: Final = ("chat.stream.done", "completions.stream.done", "stream.content_type", "stream.done_last")
_TRIES: Final = 8
"""The number of consecutive templates that may match no chunk."""
_LONGEST_DONE: Final = 16
"""Maximum bytes of [DONE] in its variants: in lower case, as a string, with spaces."""


def stages(requested: Requested, noted: Noted, *, cumulative: bool = False) -> list[Stage]:
    """The stages that always run, in order: each relies on those before it."""
    chat: list[Stage] = [Roles(noted)] if requested.operation == "chat" else []
    calls: list[Stage] = [Tools(requested, noted)] if requested.operation == "chat" else []
    return [
        Failing(noted),
        Choices(requested, noted),
        Heading(requested, noted),
        *chat,
        Reasons(requested, noted),
        *calls,
        Cumulative(requested, noted, known=cumulative),
        Halves(requested, noted),
        Logprobs(requested, noted),
        Finish(requested, noted),
        Usage(requested, noted),
    ]


class StreamRepair:
    """Repairs one stream: call `feed` until it is `done`, then `end`.

    `more` are stages that run after the repairs, on chunks whose choices have an index, a delta or a text, and a finish
    reason. `media_type` is the media type of the upstream's answer. `cumulative`: its deltas are known to be
    cumulative.
    `rewrite`: every chunk is serialized again, which removes duplicate names in its JSON.
    """

    def __init__(
        self,
        requested: Requested,
        noted: Noted,
        more: Sequence[Stage] = (),
        *,
        media_type: str | None = "text/event-stream",
        cumulative: bool = False,
        rewrite: bool = False,
    ) -> None:
        self._requested, self._noted, self._rewrite = requested, noted, rewrite
        self._reader = EventReader(noted)
        own = stages(requested, noted, cumulative=cumulative)
        self._finish = next(stage for stage in own if isinstance(stage, Finish))
        self._usage = next(stage for stage in own if isinstance(stage, Usage))
        self._stages = [*own, *more]
        self._steps = [stage.chunk for stage in self._stages]
        self._template: Template | None = None
        self._tries = _TRIES if requested.operation == "chat" and not more and not rewrite else 0
        self._seen_done = False
        if media_type != "text/event-stream":
            noted("stream.content_type")

    @property
    def done(self) -> bool:
        """Whether nothing more needs to be read: [DONE] has come, and the usage if it was requested.

        Requested usage may come after [DONE], or the connection may end without it.
        """
        return self._seen_done and (self._usage.has_come or not self._requested.include_usage)

    @property
    def finished(self) -> bool:
        """Whether every choice that began has a finish reason, so that the connection may end here."""
        return self._finish.finished

    def feed(self, data: bytes) -> Iterator[Document]:
        """The chunks to send. Raises UpstreamError after the last valid one."""
        try:
            for event in self._reader.feed(data):
                yield from self._event(event)
        except UpstreamError:
            yield from self.give_up()
            raise

    def give_up(self) -> Iterator[Document]:
        """The held chunks of a stream that was cut or failed, so that no text is lost; they have no end."""
        for number, stage in enumerate(self._stages):
            if isinstance(stage, Finish):
                for chunk in stage.give_up():
                    yield from self._through(chunk, number + 1)
                return
            for chunk in stage.end():
                yield from self._through(chunk, number + 1)

    def end(self) -> Iterator[Document]:
        """The last chunks. Raises UpstreamError if the answer is not finished."""
        for event in self._reader.end():
            yield from self._event(event)
        for number, stage in enumerate(self._stages):
            for chunk in stage.end():
                yield from self._through(chunk, number + 1)
        if not self._seen_done:
            self._noted(of_stream(self._requested, "done"))

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
            self._noted(of_stream(self._requested, "done"))
        self._seen_done = True
        return ()

    def _late(self, chunks: Sequence[Document]) -> Iterable[Document]:
        """The usage in chunks after [DONE]; everything else is dropped."""
        self._noted("stream.done_last")
        counts = [chunk for chunk in chunks if chunk.get("usage") and not chunk.get("choices")]
        return [done for chunk in counts for done in self._through(chunk, 0)]

    def _first_through(self, data: bytes, chunk: Chunk) -> list[Document]:
        """The result of all stages for a chunk; if no stage changes it, it becomes the template of the next ones."""
        for number, step in enumerate(self._steps, 1):
            made = step(chunk)
            if type(made) is not tuple or len(made) != 1 or made[0] is not chunk:
                return [done for one in made for done in self._through(one, number)]
        if self._tries:
            self._tries -= 1
            self._template = Template.of(data, chunk)
        return [chunk]

    def _through(self, chunk: Document, at: int) -> list[Document]:
        """The result of the stages from number `at` on for a chunk."""
        for number, step in enumerate(self._steps[at:], at + 1):
            made = step(chunk)
            if type(made) is not tuple or len(made) != 1:
                return [done for one in made for done in self._through(one, number)]
            (chunk,) = made
        return [chunk]
