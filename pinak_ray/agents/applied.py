"""What one operation answers, and what it changes: between the two nothing else happens."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pinak_ray.agents.activations import Activation
from pinak_ray.agents.changes import Change, PutEntry, PutItem
from pinak_ray.agents.rules import execute
from pinak_ray.agents.views import Views
from pinak_ray.records.memory.memories import Receipt
from pinak_ray.records.operations import (
    Execute,
    HostOperation,
    Note,
    Origin,
    Post,
    Query,
    Read,
    Recollect,
)

__all__ = ["applied"]


def applied(
    operation: HostOperation,
    activation: Activation,
    views: Views,
    now: datetime,
    origin: Origin | None,
    earlier: Mapping[UUID, Receipt],
) -> tuple[Any, Sequence[Change]]:
    """Apply one operation to its owner's state; raises the PinakError that refuses it.

    `earlier` are the receipts of the same batch from a try before.
    """
    if isinstance(operation, Note):  # the most frequent by far: before the cases, one by one
        return _note(operation, activation, now, origin, earlier)
    match operation:
        case Execute():
            result, written = execute(activation.entries, operation, now, earlier)
            return result, [
                # One receipt an operation: that of its first entry.
                PutEntry(operation.owner, entry, None if place else origin, replaced_seq)
                for place, (entry, replaced_seq) in enumerate(written)
            ]
        case Query():
            return views.show(operation, activation.entries, now), ()
        case Recollect():
            return activation.working.recollect(operation.key, now=now), ()
        case Post():
            return _post(operation, activation, now, origin, earlier)
        case Read(_, after_seq, kinds, limit):
            return activation.entries.read(after_seq, kinds, limit, now=now), ()


def _note(
    note: Note,
    activation: Activation,
    now: datetime,
    origin: Origin | None,
    earlier: Mapping[UUID, Receipt],
) -> tuple[Receipt, Sequence[Change]]:
    owner, id_, ack, write_key = note.owner, note.id, note.ack, note.write_key
    spent = None if write_key is None else activation.working.spent(write_key, now)
    if id_ in earlier:
        return earlier[id_]._replace(ack=ack), ()
    if spent is not None:  # put once more, to be waited for: it may have been accepted only
        item, version = spent
        return Receipt(id_, ack, False, version), (PutItem(owner, item, origin),)
    item, new = activation.working.note(
        note.key,
        note.encoded,
        id_,
        now=now,
        ttl_s=note.ttl_s,
        expected_version=note.expected_version,
        write_key=write_key,
    )
    return Receipt(id_, ack, new, item.version), (PutItem(owner, item, origin),)


def _post(
    post: Post,
    activation: Activation,
    now: datetime,
    origin: Origin | None,
    earlier: Mapping[UUID, Receipt],
) -> tuple[Receipt, Sequence[Change]]:
    log, owner, ack = activation.entries, post.owner, post.ack
    spent = None if post.write_key is None else log.spent(post.write_key, now)
    if post.id in earlier:
        return earlier[post.id]._replace(ack=ack), ()
    if spent is not None:
        entry, version = spent
        return Receipt(entry.id, ack, False, version), [PutEntry(owner, entry, origin, entry.seq)]
    replaced_seq = log.replaced_seq(post)
    entry, new = log.post(post, now=now)
    return Receipt(entry.id, ack, new, entry.version), [
        PutEntry(owner, entry, origin, replaced_seq)
    ]
