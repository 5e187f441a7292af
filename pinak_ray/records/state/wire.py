"""Operations and results as plain tuples: what a batch looks like between a client and a host.

A hundred records of ours take Python's pickle ten times as long as a hundred tuples of plain
values, so the operations of the fast lane are taken apart for the way. All others travel as they
are.
"""

from typing import Any

from pinak_ray.records.ids import id_from_bytes
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import HostOperation, Note, Recollect
from pinak_ray.records.state.owners import Owner, Space

__all__ = ["decode_operation", "decode_result", "encode_operation", "encode_result"]

_AGENT = Space.AGENT
# A record's own constructor takes three times as long, and `value` of an enum as long as a record.
_new: Any = tuple.__new__
_WORDS = {ack: ack.value for ack in Ack}
_ACKS = {ack.value: ack for ack in Ack}
_RECOLLECT_FIELDS = 3


def encode_operation(operation: HostOperation) -> Any:
    """Return what travels to the host."""
    if type(operation) is Note and operation.write_key is None:
        namespace_id, _, name = operation.owner
        return (
            namespace_id, name, operation.key, operation.encoded, operation.id.bytes,
            operation.ttl_s, operation.expected_version, _WORDS[operation.ack],
        )  # fmt: skip
    if type(operation) is Recollect:
        return operation.owner.namespace_id, operation.owner.name, operation.key
    return operation


def decode_operation(sent: Any) -> HostOperation:
    """Return the operation that `encode_operation` was given."""
    if type(sent) is not tuple:
        operation: HostOperation = sent
        return operation
    if len(sent) == _RECOLLECT_FIELDS:
        return Recollect(Owner(sent[0], _AGENT, sent[1]), sent[2])
    namespace_id, name, key, encoded, id_, ttl_s, expected_version, ack = sent
    owner = _new(Owner, (namespace_id, _AGENT, name))
    id_ = id_from_bytes(id_)
    return Note(owner, key, encoded, id_, ttl_s, expected_version, _ACKS[ack], None)


def encode_result(operation: HostOperation, result: Any) -> Any:
    """Return what travels back: of a note's receipt only what the client does not know."""
    if type(operation) is Note and type(result) is Receipt:
        return result.version if result.new else -(result.version or 0)
    return result


def decode_result(operation: HostOperation, sent: Any) -> Any:
    """Return the result that `encode_result` was given for this operation."""
    if type(sent) is int and type(operation) is Note:
        return Receipt(operation.id, operation.ack, sent > 0, abs(sent))
    return sent
