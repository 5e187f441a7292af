"""What travels between client and host comes back as it was."""

import pickle
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from pinak_ray.records.errors import VersionConflict
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import Note, Post, Read, Recollect, WatchPage
from pinak_ray.records.state.owners import Entry, EntryKind, Owner, Space
from pinak_ray.records.state.wire import (
    decode_operation,
    decode_result,
    encode_operation,
    encode_result,
)

ADA = Owner(7, Space.AGENT, "ada/ü")
OPERATIONS = [
    *(Note(ADA, "plan", b"[1]", uuid4(), 1.5, 3, ack) for ack in Ack),
    Note(ADA, "", b"null", uuid4()),
    Recollect(ADA),
    Recollect(ADA, "plan"),
    Post(ADA, uuid4(), EntryKind.TASK, "ada", "x"),
    Read(Owner(7, Space.BOARD, "plan")),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: type(o).__name__)
def test_an_operation_arrives_whole(operation: Note) -> None:
    """Fields and types are those that were sent."""
    arrived = decode_operation(encode_operation(operation))

    assert (type(operation), operation) == (type(arrived), arrived)


@pytest.mark.parametrize("new", [True, False])
def test_a_receipt_arrives_whole(new: bool) -> None:
    """Id and ack are the operation's own; version and `new` come from the host."""
    note = OPERATIONS[1]
    receipt = Receipt(note.id, note.ack, new, 41)

    assert receipt == decode_result(note, encode_result(note, receipt))


def test_whatever_else_comes_back_is_left_as_it_is() -> None:
    """Items, entries and refusals travel as themselves."""
    refusal = VersionConflict("plan", 1, 2)

    assert decode_result(OPERATIONS[0], encode_result(OPERATIONS[0], refusal)) is refusal
    assert decode_result(Recollect(ADA), encode_result(Recollect(ADA), ())) == ()


@pytest.mark.parametrize("expires", [None, datetime(2026, 11, 21, 23, 59, 59, 999_999, UTC)])
def test_a_page_of_a_watch_arrives_whole(expires: datetime | None) -> None:
    """Its entries are taken apart for the way, to the microsecond."""
    created = datetime(2026, 11, 21, 12, 0, 0, 123_457, UTC)
    entries = tuple(
        Entry(uuid4(), n, kind, "ada/ü", "k", "x", b"{}", 2, created, expires, uuid4())
        for n, kind in enumerate(EntryKind)
    )
    arrived = pickle.loads(pickle.dumps(WatchPage(entries, 99)))

    assert arrived == WatchPage(entries, 99)
    assert [type(entry) for entry in arrived.entries] == [Entry] * len(entries)
    assert all(type(entry.kind) is EntryKind for entry in arrived.entries)
