"""The contract of the asker's time: "yesterday" is theirs, on every wire."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from pinak_ray import InvalidInput, RecallResult, Swarm
from pinak_ray.client.handles.agent import AgentHandle

CAUSES = {-3: "amber", -2: "teal", -1: "olive", 0: "ivory"}
FAR = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))


async def _stored(swarm: Swarm, zone: tzinfo) -> AgentHandle:
    """Store one failure a day, at an hour whose date in UTC is another one where it can be."""
    ada, now = swarm.agent("ada"), datetime.now(zone)
    hour = 1 if (now.utcoffset() or timedelta(0)) > timedelta(0) else 23
    for day, cause in CAUSES.items():
        at = (now + timedelta(days=day)).replace(hour=hour, minute=30)
        await ada.remember(
            f"the kiln stopped: {cause}", layer="episodic", occurred_at=at, ack="searchable"
        )
    return ada


def _dated(result: RecallResult) -> list[str]:
    return [
        hit.content.rsplit(" ", 1)[1]
        for hit in result.hits
        if any(signal.name == "date" and signal.score for signal in hit.signals)
    ]


@pytest.mark.parametrize("zone", FAR)
async def test_yesterday_is_the_askers(swarm: Swarm, zone: tzinfo) -> None:
    """By the zone's offset, by a moment in it, and by a zone's own object."""
    ada = await _stored(swarm, zone)
    offset = "+14:00" if zone is FAR[0] else "-12:00"
    for query, cause in (("why did it stop yesterday?", "olive"), ("what stopped today?", "ivory")):
        for said in ({"zone": offset}, {"zone": zone}, {"now": datetime.now(zone)}):
            assert _dated(await ada.recall(query, trace=True, **said)) == [cause]
    two_days = await ada.recall("what stopped the day before yesterday?", zone=offset, trace=True)
    assert _dated(two_days) == ["teal"]


async def test_a_moment_is_of_the_zone_that_is_named(swarm: Swarm) -> None:
    """An IANA name with its summer time, against a moment in another zone."""
    ada = swarm.agent("ada")
    auckland = ZoneInfo("Pacific/Auckland")
    late = datetime(2026, 7, 3, 23, 30, tzinfo=auckland)
    await ada.remember("the lathe broke", occurred_at=late, ack="searchable")

    noon = datetime(2026, 7, 4, 1, tzinfo=UTC)  # the 4th in Auckland
    asked = {"trace": True, "now": noon.isoformat()}
    assert _dated(await ada.recall("what broke yesterday?", zone="Pacific/Auckland", **asked))
    assert not _dated(await ada.recall("what broke yesterday?", zone="America/New_York", **asked))
    assert _dated(await ada.recall("what broke on 3 July 2026?", zone="Pacific/Auckland", **asked))


@pytest.mark.parametrize(
    "said",
    [
        {"zone": "Mars/Olympus"},
        {"zone": "../UTC"},
        {"zone": "America"},
        {"zone": "+25:00"},
        {"zone": ""},
        {"zone": "Pacific/Auckland\x00"},
        {"now": "2026-07-04T01:00:00"},
        {"now": "noon"},
        {"now": "9999-12-31T23:00:00+00:00", "zone": "+14:00"},
    ],
)
async def test_an_unknown_time_is_refused(swarm: Swarm, said: dict[str, str]) -> None:
    """InvalidInput names the field."""
    with pytest.raises(InvalidInput, match=next(iter(said))):
        await swarm.agent("ada").recall("what broke yesterday?", **said)  # type: ignore[arg-type]


async def test_an_unknown_form_of_time_changes_nothing(swarm: Swarm) -> None:
    """The same hits and the same scores as without the words that name no day."""
    ada = await _stored(swarm, FAR[0])
    for query in ("what stopped the other day?", "what stopped a few days ago?"):
        plain = await ada.recall(query)
        zoned = await ada.recall(query, zone="+14:00")
        assert [(hit.id, hit.score) for hit in plain.hits] == [
            (hit.id, hit.score) for hit in zoned.hits
        ]


async def test_a_cursor_keeps_its_zone(swarm: Swarm) -> None:
    """Pages of one ranking are of one zone."""
    ada = await _stored(swarm, FAR[0])
    first = await ada.recall("what stopped yesterday?", k=1, zone="+14:00")
    assert first.cursor is not None
    assert (
        await ada.recall("what stopped yesterday?", k=1, zone="+14:00", cursor=first.cursor)
    ).hits
    with pytest.raises(InvalidInput, match="cursor"):
        await ada.recall("what stopped yesterday?", k=1, zone="-12:00", cursor=first.cursor)
