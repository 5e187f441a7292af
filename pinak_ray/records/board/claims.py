"""Has anyone done this? Claims on a subject: a search, a URL, anything that is worth doing once."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from pinak_ray.records.board.tasks import LeaseSeconds
from pinak_ray.records.commands import Answer, Command, ListAnswer, Listed, View
from pinak_ray.records.fields import Json, Seconds, Text
from pinak_ray.records.limits import MAX_READ
from pinak_ray.records.state.owners import Space

__all__ = ["BoardClaim", "ClaimOnce", "Claims", "ClaimsAnswer", "Done", "SubjectClaim"]


class BoardClaim(Answer):
    """Who does something, or did it, and with which result."""

    subject: str
    """As it is compared: without what does not tell two subjects apart."""
    holder: str
    done: bool
    result: Any
    expires_at: datetime | None
    """When it may be claimed again: the end of the lease, or of a result's time to live."""


class SubjectClaim(BoardClaim):
    """What came of `claim_once`."""

    granted: bool
    """The caller is to do it."""


class ClaimOnce(Command, space=Space.BOARD, verb="claim_once"):
    """Ask whether anyone has done this, and be the one who does it if nobody has."""

    answer = SubjectClaim

    subject: Text
    lease_s: LeaseSeconds = 300


class Done(Command, space=Space.BOARD, verb="done"):
    """Record what came of it, for whoever claims it later."""

    subject: Text
    result: Json = None
    ttl_s: Seconds | None = None
    """After which it is due again; never, if absent."""


class ClaimsAnswer(ListAnswer):
    """Claims, newest first."""

    claims: tuple[BoardClaim, ...]


class Claims(Listed, View, space=Space.BOARD, name="claims"):
    """What is being done or was done once."""

    answer = ClaimsAnswer
    lists = ("claims",)

    limit: Annotated[int, Field(ge=1, le=MAX_READ)] = 100
