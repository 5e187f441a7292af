"""Has anyone done this? An atomic claim on a subject, or the result of whoever did it."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid5

from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call, Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.claims import (
    BoardClaim,
    ClaimOnce,
    Claims,
    ClaimsAnswer,
    Done,
    SubjectClaim,
)
from pinak_ray.records.errors import Conflict, InvalidInput, NotFound
from pinak_ray.records.memory.memories import expiry
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["MAX_CLAIMS", "claim_once", "done", "normalised", "show_claims"]

# Half of what a board holds, so that they never keep a finding out.
MAX_CLAIMS = 5_000

_SUBJECTS = UUID("091b0599-4d7e-498c-a141-ad45730066e3")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#]\S*", re.IGNORECASE)


def claim_once(log: EntryLog, command: ClaimOnce, call: Call) -> Decision:
    """Grant the subject to the caller, unless another has it or anyone has done it.

    An entry lives as long as its lease, so a claim that nobody kept is as if it had never been.
    """
    subject = normalised(command.subject)
    held = _held(log, subject, call.now)
    if held is not None and (held.details["done"] or held.author != call.author):
        return Decision(answer=SubjectClaim(granted=False, **dict(_shown(held))))
    if held is None:
        _check_room(log, call.now)
    expires_at = call.now + timedelta(seconds=command.lease_s)
    answer = SubjectClaim(
        granted=True,
        subject=subject,
        holder=call.author,
        done=False,
        result=None,
        expires_at=expires_at,
    )
    return Decision((_draft(subject, expires_at, done=False),), answer=answer)


def done(log: EntryLog, command: Done, call: Call) -> Decision:
    """Record the result of a subject; raises Conflict where another has it or has done it."""
    subject = normalised(command.subject)
    held = _held(log, subject, call.now)
    if held is None:
        _check_room(log, call.now)
    elif held.author != call.author:
        how = "was done by" if held.details["done"] else "is held by"
        raise Conflict(f"{subject!r} {how} {held.author!r}")
    elif held.details["done"]:
        return Decision(held=held)
    expires_at = expiry(call.now, command.ttl_s)
    return Decision((_draft(subject, expires_at, done=True, result=command.result),))


def show_claims(log: EntryLog, view: Claims, now: datetime) -> ClaimsAnswer:
    """Return the newest claims."""
    claims = sorted(log.of_kind(EntryKind.CLAIM, now=now), key=lambda claim: -claim.seq)
    return ClaimsAnswer(claims=tuple(_shown(claim) for claim in claims[: view.limit]))


def normalised(subject: str) -> str:
    """Return a subject without what does not tell it from another.

    Of text that is case and white space; of a URL, the case of scheme and host, the fragment, and
    slashes at the end of its path.
    """
    text = " ".join(subject.split())
    try:
        parts = urlsplit(text) if _URL.fullmatch(text) else None
    except ValueError:
        parts = None
    if parts is None:
        return text.casefold()
    user, at, host = parts.netloc.rpartition("@")
    netloc = f"{user}{at}{host.lower()}"
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), parts.query, ""))


def _held(log: EntryLog, subject: str, now: datetime) -> Entry | None:
    try:
        return log.get(EntryKind.CLAIM, uuid5(_SUBJECTS, subject), now=now)
    except NotFound:
        return None


def _check_room(log: EntryLog, now: datetime) -> None:
    if len(log.of_kind(EntryKind.CLAIM, now=now)) >= MAX_CLAIMS:
        raise InvalidInput(f"this holds {MAX_CLAIMS} claims, its limit; start another board")


def _draft(subject: str, expires_at: datetime | None, **details: object) -> Draft:
    id_ = uuid5(_SUBJECTS, subject)
    return Draft(EntryKind.CLAIM, subject, details, id=id_, expires_at=expires_at)


def _shown(claim: Entry) -> BoardClaim:
    details = claim.details
    return BoardClaim(
        subject=claim.content,
        holder=claim.author,
        done=details["done"],
        result=details.get("result"),
        expires_at=claim.expires_at,
    )
