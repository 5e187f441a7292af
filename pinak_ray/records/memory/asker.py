"""The asker's place and time: against what "yesterday" is told.

A zone is an IANA name ("Europe/Berlin") or an offset ("+05:30"). Of a moment only its day counts,
so that callers who name theirs each time still share answers for a day.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import brief
from pinak_ray.records.memory.memories import parsed_moment

__all__ = ["asked_at", "local", "local_noon", "zone_name", "zone_named"]

_OFFSET = re.compile(r"([+-])(\d\d):?([0-5]\d)")


def zone_named(name: str) -> tzinfo:
    """Return the zone of an IANA name or an offset; raises InvalidInput."""
    if name == "UTC":
        return UTC
    offset = _OFFSET.fullmatch(name)
    try:
        if offset is None:
            return ZoneInfo(name)
        sign, hours, minutes = offset.groups()
        behind = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-behind if sign == "-" else behind)
    except (KeyError, ValueError, OSError):  # no such name, no name at all, a folder of names
        raise InvalidInput(
            f"zone {brief(name)} is not known; give an IANA name such as Europe/Berlin, or an "
            "offset such as +05:30"
        ) from None


def zone_name(zone: object) -> str:
    """Return the name of a zone, given as text or as a tzinfo; raises InvalidInput."""
    if isinstance(zone, tzinfo):
        zone = getattr(zone, "key", None) or _offset(zone.utcoffset(None))
    if not isinstance(zone, str):
        raise InvalidInput("zone must be a string: an IANA name, or an offset such as +05:30")
    zone_named(zone)
    return zone


def asked_at(now: datetime | str | None, zone: object) -> tuple[datetime | None, str | None]:
    """Return the asker's day, as its noon in UTC, and zone, as they were given; None: not at all.

    A moment alone names its offset, or its own zone. Raises InvalidInput.
    """
    name = None if zone is None else zone_name(zone)
    if now is None:
        return None, name
    moment = parsed_moment("now", now)
    if name is None:
        key = getattr(moment.tzinfo, "key", None)
        name = zone_name(key) if key else _offset(moment.utcoffset())
    try:
        return local_noon(moment.astimezone(zone_named(name))).astimezone(UTC), name
    except (OverflowError, ValueError):
        raise InvalidInput(
            f"now {moment.isoformat()} lies at an end of the calendar in {name}"
        ) from None


def local_noon(moment: datetime) -> datetime:
    """Return noon of a moment's day in its zone: an hour that no zone leaves out."""
    return moment.replace(hour=12, minute=0, second=0, microsecond=0, fold=0)


def local(moment: datetime, zone: tzinfo | None) -> datetime:
    """Return a moment in a zone; one that the zone takes over an end of the calendar stays."""
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError):
        return moment


def _offset(behind: timedelta | None) -> str:
    if behind is None:
        raise InvalidInput("zone has no name and no offset of its own; give an IANA name")
    sign, minutes = "-" if behind < timedelta(0) else "+", abs(behind) // timedelta(minutes=1)
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"
