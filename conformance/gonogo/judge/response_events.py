"""The state machine of a response's stream, which reports events that are not allowed. The effect of an event on a part
of an item is in the tables of `judge.response_steps`. After a slip the machine continues as if the missing event had
been sent, so that one mistake is reported once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.judge import named_events, reading
from gonogo.judge.named_events import MACHINES, Course, Machine
from gonogo.judge.once import once
from gonogo.judge.response_items import Item, Part
from gonogo.judge.response_steps import (
    ARGUMENTS,
    AT_END,
    EXPECTED,
    FORMS,
    ITEMS,
    KINDS,
    OWN_PARTS,
    PARTS,
    REASONING,
    STEPS,
    TEXT,
    Form,
    State,
    Step,
)
from gonogo.judge.responses import ENDS, PATH, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.exchange import Exchange
    from gonogo.judge.named_events import Named
    from gonogo.judge.reading import Object

FAILED: Final = "response.failed"
ERROR: Final = "error"


class _Reader:
    """Processes one stream, event by event."""

    def __init__(self) -> None:
        self.course = Course()
        self._items: list[Item] = []  # in the order in which they were added
        self._at: dict[int, Item] = {}  # the latest of each output_index
        self._last = 0
        self._response_id: object = None
        self._created = self._progress = self._failed = False
        self._end_event: Named | None = None
        self._number = -1

    def read(self, events: tuple[Named, ...]) -> Course:
        """The slips of the whole stream."""
        # Other events, such as keep-alives, may precede it.
        first = next((event for event in events if _is_of_response(event)), events[0])
        self.course.expect(
            "missing-created",
            first.type in ("response.created", ERROR, FAILED),
            "response.created as the first event of the response",
            f"its first event is {first.type or 'of no type'}",
            first,
        )
        for event in events:
            self._count(event)
            self._take(event)
        self._finish(events[-1])
        return self.course

    def _take(self, event: Named) -> None:
        if self._end_event is not None:
            second = event.type in ENDS
            self.course.slip(
                "second-end" if second else "event-after-end",
                "one event that ends the response" if second else "no event after the end",
                f"{event.type} follows {self._end_event.type}",
                event,
            )
        elif event.type in STEPS:
            self._step(event)
        elif (handler := _HANDLERS.get(event.type)) is not None:
            handler(self, event)

    # ---- the response

    def create(self, event: Named) -> None:
        """The response begins."""
        once_only = not self._created
        self.course.expect(
            "repeated-created", once_only, "one response.created", "response.created again", event
        )
        self._created = True
        self._identify(event)

    def advance(self, event: Named) -> None:
        """The response is queued, or in progress."""
        self._progress = True
        self._identify(event)

    def fail(self, _: Named) -> None:
        """An error: missing events after it are not slips."""
        self._failed = True

    def end(self, event: Named) -> None:
        """The response ends; all its items must be done, and the event repeats them."""
        self._end_event = event
        self._failed = self._failed or event.type == FAILED
        self._identify(event)
        self.course.kept["second-end"] += 1
        self.course.kept["event-after-end"] += 1
        if self._failed:
            return
        for number, item in enumerate(self._items):
            expected = f"response.output_item.done of item {number} before {event.type}"
            self.course.expect("unfinished-item", item.done is not None, expected, "it never came", event)
        self._compare_output(event, _object(event.value.get("response")).get("output"))

    def _identify(self, event: Named) -> None:
        """The id of the response does not change."""
        found = _object(event.value.get("response")).get("id")
        if found is None:
            return
        known = found if self._response_id is None else self._response_id
        self._response_id = known
        self.course.expect(
            "other-response-id", found == known, f'the id "{known}"', f'the id is "{found}"', event
        )

    def _finish(self, last: Named) -> None:
        if self._failed:
            self.course.kept["missing-end"] += self._end_event is not None
            return
        self.course.expect(
            "missing-end",
            self._end_event is not None,
            f"{', '.join(list(ENDS)[:-1])} or {FAILED} as the last event",
            f"the last event is {last.type}",
            last,
        )
        self.course.expect(
            "missing-in-progress", self._progress, "response.in_progress", "it never came", last
        )

    # ---- items

    def add(self, event: Named) -> None:
        """An item begins."""
        added, index = _object(event.value.get("item")), self._index(event, len(self._items))
        item, known = Item(added), index in self._at
        self.course.expect("reused-index", not known, "an index for each item", f"{index} comes again", event)
        if known and item.id is not None and item.id == self._at[index].id:
            return  # the same item, added again
        if not known:
            wanted = f"output_index {len(self._items)}"
            self.course.expect(
                "misnumbered-item", index == len(self._items), wanted, f"output_index is {index}", event
            )
        self._items.append(item)
        self._at[index], self._last = item, index
        is_call = item.type == ARGUMENTS.item
        nameless = "nameless-call" if is_call else "nameless-item"
        self.course.expect(nameless, item.id, "an id in the item", reading.field(added, "id"), event)
        for name in ("call_id", "name") if is_call else ():
            shown = reading.field(added, name)
            self.course.expect("unidentified-call", _is_text(added.get(name)), f"a {name}", shown, event)
        begun = "".join(texts(added))
        self.course.expect("begun-text", not begun, "an item still empty", f"it begins with {begun!r}", event)

    def finish_item(self, event: Named) -> None:
        """An item is done; so are its parts, and it equals their sum."""
        item, done = self._item(event), _object(event.value.get("item"))
        if item.done is not None:
            self.course.slip("late-event", "each item done once", "the item is done again", event)
            return
        item.done = done
        self.course.kept["late-event"] += 1
        self._same_item(item, done, event)
        for (kind, _), part in item.parts.items():
            self._close(part, kind, event)
        if item.is_reasoning:
            return
        made, found = item.said, "".join(texts(done))
        if item.type == ARGUMENTS.item and found and not item.parts:
            self.course.slip("text-not-done", EXPECTED["text-not-done"], "it never came", event)
        elif made is not None or (found and item.type == TEXT.item):
            alike = _alike(found, made or "")
            expected = f"the text of the deltas, {made or ''!r}"
            self.course.expect("unlike-item", alike, expected, f"the item has {found!r}", event)

    def _close(self, part: Part, kind: str, event: Named) -> None:
        """The end of an item also ends its arguments; any other part has its own event."""
        if kind != ARGUMENTS.said:
            expected = "an event that ends the part before the item is done"
            closed = part.state is State.CLOSED
            self.course.expect("unfinished-part", closed, expected, "it never came", event)
        elif part.state is State.OPEN:
            self.course.slip("text-not-done", EXPECTED["text-not-done"], "it never came", event)

    def _same_item(self, item: Item, later: Object, event: Named) -> None:
        """The item keeps its type and id, a call also its call_id and name."""
        self._same(("type",), "other-item-type", item.added, later, event)
        self._same(("id",), "other-item-id", item.added, later, event)
        if item.type == ARGUMENTS.item:
            self._same(("call_id", "name"), "other-call", item.added, later, event)

    def _same(self, names: tuple[str, ...], kind: str, before: Object, later: Object, event: Named) -> None:
        for name in names:
            known = before.get(name)
            if known:
                found = reading.field(later, name)
                self.course.expect(kind, later.get(name) == known, f'{name} "{known}"', found, event)

    def _compare_output(self, event: Named, output: object) -> None:
        """The last event repeats the streamed messages and calls with their texts.

        Streamed reasoning may have another form there, or be missing.
        """
        final = [item for item in reading.objects(output) if item.get("type") != REASONING.item]
        known = [item for item in self._items if not item.is_reasoning]
        if any(item.done is None for item in known):
            return  # already reported
        alike = len(final) == len(known)
        told = f"the output has {len(final)}"
        self.course.expect("unlike-output", alike, f"{len(known)} items, as in the stream", told, event)
        for item, later in zip(known, final, strict=True) if alike else ():
            self._same_item(item, later, event)
            said = item.said if item.said is not None else "".join(texts(item.done or {}))
            found = "".join(texts(later))
            same = _alike(found, said)
            self.course.expect("unlike-output", same, f"the text {said!r}", f"it is {found!r}", event)

    # ---- parts

    def _step(self, event: Named) -> None:
        step, form = STEPS[event.type]
        item = self._item(event)
        if form is None:
            usual = REASONING if item.type == REASONING.item else TEXT
            form = FORMS.get(str(_object(event.value.get("part")).get("type")), usual)
        if item.done is not None:
            self.course.slip("late-event", "nothing of an item that is done", f"{event.type} follows", event)
            return
        if item.type in ITEMS:
            found = f"{event.type} of a {form.item}"
            fits = item.type == form.item
            self.course.expect("stray-step", fits, f"an event of a {item.type}", found, event)
            own = OWN_PARTS.get(item.type)
            if not fits and (step is not Step.ADDED or own is None):
                return
            form = form if fits or own is None else own
        self._expect_id(item, event)
        part = self._part(item, form, step, event)
        self._move(part, form, step, event)
        self._say(part, form, step, event)

    def _expect_id(self, item: Item, event: Named) -> None:
        found = event.value.get("item_id")
        named = _is_text(found) or (found == "" and item.id is None and item.type == ARGUMENTS.item)
        told = reading.field(event.value, "item_id")
        self.course.expect("missing-item-id", named, "an item_id", told, event)
        if named and item.id is not None:
            self.course.expect("other-item-id", found == item.id, f'item_id "{item.id}"', told, event)

    def _part(self, item: Item, form: Form, step: Step, event: Named) -> Part:
        """The part of an event; if the event has no number, the next one, or the last."""
        if form.index is None:
            return item.parts.setdefault((form.said, 0), Part(State.OPEN))
        known = [index for kind, index in item.parts if kind == form.index]
        index, told = reading.count(event.value.get(form.index)), reading.field(event.value, form.index)
        self.course.expect("missing-content-index", index is not None, f"a {form.index}", told, event)
        if index is None:
            index = len(known) if step is Step.ADDED or not known else known[-1]
        if step is Step.ADDED and index not in known:
            wanted = f"{form.index} {len(known)}"
            self.course.expect("misnumbered-part", index == len(known), wanted, told, event)
        return item.parts.setdefault((form.index, index), Part())

    def _move(self, part: Part, form: Form, step: Step, event: Named) -> None:
        unannounced = "unannounced-reasoning" if form.item == REASONING.item else "unannounced-part"
        part.state, slip = PARTS[part.state, step]
        if slip is not None:
            slip = unannounced if slip == "unannounced-part" else slip
            self.course.slip(slip, EXPECTED[slip], f"{event.type} comes", event)
            return
        if step is Step.ADDED:
            self.course.kept["repeated-part"] += 1
            return
        self.course.kept["late-step"] += 1
        self.course.kept["text-not-done"] += step is Step.TOLD
        self.course.kept[unannounced] += form.index is not None  # the item itself announces arguments

    def _say(self, part: Part, form: Form, step: Step, event: Named) -> None:
        """Store the text; compare a complete text with the joined deltas."""
        if step is Step.DELTA:
            delta = event.value.get("delta")
            part.deltas += [delta] if isinstance(delta, str) else []
            return
        within = step in (Step.ADDED, Step.CLOSED)
        said = (_object(event.value.get("part")) if within else event.value).get(form.said)
        if not isinstance(said, str):
            return
        if step is Step.ADDED:
            self.course.expect(
                "begun-text", not said, "a part still empty", f"it begins with {said!r}", event
            )
            return
        made = "".join(part.deltas) if step is Step.TOLD else part.text or ""
        if step is Step.TOLD:
            part.told = said
        if form is ARGUMENTS and not part.deltas:
            return  # the whole text without deltas, which clients accept too
        told = "unlike-arguments" if form is ARGUMENTS else "unlike-text"
        kind = "unlike-part" if step is Step.CLOSED else told
        self.course.expect(
            kind, _alike(said, made), f"what the deltas make, {made!r}", f"it is {said!r}", event
        )

    # ---- positions and numbers

    def _index(self, event: Named, otherwise: int) -> int:
        """The index of the event's item; `otherwise` if it has none."""
        index, told = (
            reading.count(event.value.get("output_index")),
            reading.field(event.value, "output_index"),
        )
        self.course.expect("missing-output-index", index is not None, "an output_index", told, event)
        return otherwise if index is None else index

    def _item(self, event: Named) -> Item:
        """The item of an event; one that was never added is created, so that this is reported once."""
        index = self._index(event, self._last)
        known = index in self._at
        expected = f"response.output_item.added of item {index} before this"
        self.course.expect("unannounced-item", known, expected, f"{event.type} comes", event)
        if not known:
            self._at[index] = Item({})
            self._items.append(self._at[index])
        return self._at[index]

    def _count(self, event: Named) -> None:
        """Check the sequence number of an event; extension events may have none."""
        number = reading.count(event.value.get("sequence_number"))
        if number is None and not event.type.startswith("response."):
            return
        told = reading.field(event.value, "sequence_number")
        self.course.expect("no-sequence-number", number is not None, "a sequence_number", told, event)
        if number is None:
            return
        before = self._number
        rises = number > before
        self.course.expect("unordered-sequence", rises, f"a number above {before}", told, event)
        if rises:
            self.course.expect("sequence-gap", number == before + 1, f"{before + 1}", told, event)
        self._number = max(number, before)


_HANDLERS: Final[Mapping[str, Callable[[_Reader, Named], None]]] = {
    "response.created": _Reader.create,
    "response.in_progress": _Reader.advance,
    "response.queued": _Reader.advance,
    "response.output_item.added": _Reader.add,
    "response.output_item.done": _Reader.finish_item,
    ERROR: _Reader.fail,
    **dict.fromkeys(ENDS, _Reader.end),
}


def _is_of_response(event: Named) -> bool:
    return event.type == ERROR or event.type.startswith("response.")


def _alike(one: str, other: str) -> bool:
    """Whether two texts are equal except for spaces at their ends."""
    return one.strip() == other.strip()


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _object(value: object) -> Object:
    return value if isinstance(value, dict) else {}


@once
def course(exchange: Exchange) -> Course:
    """The result of the state machine for a stream. Raises Stop if it has no event."""
    return _Reader().read(named_events.events(exchange))


MACHINES[PATH] = Machine(course, KINDS, AT_END)
