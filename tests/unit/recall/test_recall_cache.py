"""The cache of recall: no interleaving of writes and recalls gives an old answer."""

import tracemalloc
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from pinak_ray.recall.cache.answers import CacheKey, CachePolicy, RecallCache, size_of
from pinak_ray.recall.cache.same_question import essence
from pinak_ray.records.memory.asker import zone_named
from pinak_ray.records.memory.memories import Layer
from pinak_ray.records.memory.recall import Hit, RecallRequest, RecallResult, new_recall
from pinak_ray.store.vectors.generations import Generation

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def result(content: str, hits: int = 1, *, cursor: str | None = None) -> RecallResult:
    """Return an answer of so many hits."""
    hit = Hit(
        UUID(int=1), content, 1.0, Layer.SEMANTIC, "ada", None, (), None, NOON, NOON, {"n": 1}
    )
    return RecallResult((hit,) * hits, cursor=cursor)


def key(query: str = "q", namespace_id: int = 1, model_id: int = 1, **fields: object) -> CacheKey:
    """Return the key of a request."""
    return CacheKey(namespace_id, model_id, new_recall(query, **fields))  # type: ignore[arg-type]


def cache(*, jitter: float = 0.5, **policy: object) -> RecallCache:
    """Return an empty cache."""
    return RecallCache(CachePolicy(**policy), jitter=lambda: jitter)  # type: ignore[arg-type]


def put(to: RecallCache, at: CacheKey, content: str = "x", number: int = 1) -> None:
    """Keep an answer that was read at noon."""
    to.put(at, result(content), read=Generation(number, NOON), holds_until=None)


@dataclass(slots=True)
class Asked:
    """One recall on its way: what it asks, and what was committed before it began."""

    key: CacheKey
    read: Generation
    least: int
    found: RecallResult | None = None
    ends: datetime | None = None


class Interleavings(RuleBasedStateMachine):
    """Recalls that read, look, search and fill, each a step of its own, between writes and time.

    A memory's content is the number of its namespace's last write; a search sees what is committed.
    """

    asked: Bundle[Asked] = Bundle("asked")
    searched: Bundle[Asked] = Bundle("searched")

    def __init__(self) -> None:
        super().__init__()
        self.cache = cache(capacity_bytes=8_000, ttl_s=60.0)
        self.written = {1: 0, 2: 0}
        self.expires: dict[int, datetime | None] = {1: None, 2: None}
        self.now = NOON

    @rule(ns=st.sampled_from([1, 2]), lives_s=st.sampled_from([None, 5, 50]))
    def write(self, ns: int, lives_s: int | None) -> None:
        """Commit a write, and the generation with it."""
        self.written[ns] += 1
        self.expires[ns] = None if lives_s is None else self.now + timedelta(seconds=lives_s)

    @rule(seconds=st.sampled_from([1, 10, 100]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    @rule(
        target=asked,
        ns=st.sampled_from([1, 2]),
        query=st.sampled_from(
            ["What broke?", "please tell me what broke", "What broke in 7?", "7"]
        ),
        k=st.sampled_from([1, 2]),
    )
    def begin(self, ns: int, query: str, k: int) -> Asked:
        """Ask, and read the generation."""
        read = Generation(self.written[ns], self.now)
        return Asked(CacheKey(ns, 1, RecallRequest(query, k)), read, self.written[ns])

    @rule(target=searched, one=consumes(asked))
    def look_then_search(self, one: Asked) -> Asked:
        """Take what the cache has; a miss searches."""
        ns, _, request = one.key
        got = self.cache.get(one.key, one.read)
        if got is not None:
            self.check(one, got)
            return one
        one.found = result(f"{ns}|{request.k}|{self.written[ns]}|{request.query}")
        one.ends = self.expires[ns]
        return one

    @rule(one=consumes(searched))
    def fill(self, one: Asked) -> None:
        """Keep what was found, perhaps long after."""
        if one.found is not None:
            self.cache.put(one.key, one.found, read=one.read, holds_until=one.ends)

    def check(self, one: Asked, got: RecallResult) -> None:
        """An answer is of the caller's namespace and question, and not of before it asked."""
        ns, k, written, query = got.hits[0].content.split("|")
        assert (int(ns), int(k)) == (one.key.namespace_id, one.key.request.k)
        assert int(written) >= one.least
        assert essence(query) == essence(one.key.request.query)
        if int(written) == self.written[int(ns)]:
            ends = self.expires[int(ns)]
            assert ends is None or ends > one.read.read_at

    @invariant()
    def stays_within_bounds(self) -> None:
        """Bytes never exceed the capacity, and an empty cache holds none."""
        assert 0 <= self.cache.size <= 8_000
        assert len(self.cache) or not self.cache.size


Interleavings.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestInterleavings = Interleavings.TestCase


def test_an_equal_request_is_answered_until_something_is_written() -> None:
    """Hits at one generation; the next one drops all of the namespace, and of no other."""
    held, now = cache(), Generation(1, NOON)
    put(held, key())
    put(held, key(namespace_id=2))
    assert held.get(key(), now) == result("x")
    assert held.get(key(), Generation(2, NOON)) is None
    assert held.get(key(), now) is None, "it is gone, also for who read before the write"
    assert held.get(key(namespace_id=2), now) == result("x")
    assert (held.counts.equal, held.counts.stale) == (2, 1)


def test_an_answer_found_before_a_known_write_is_not_kept() -> None:
    """A slow search fills nothing; a reader of before may have what was found after."""
    held = cache()
    put(held, key("new"), number=2)
    put(held, key("old"), number=1)
    assert held.get(key("old"), Generation(2, NOON)) is None
    assert held.get(key("new"), Generation(1, NOON)) == result("x")


@pytest.mark.parametrize(
    "other",
    [
        {"k": 9},
        {"recipe": "dense"},
        {"min_score": 0.1},
        {"layers": ("semantic",)},
        {"agents": ("ada",)},
        {"as_of": NOON},
        {"namespace_id": 2},
        {"model_id": 2},
    ],
    ids=str,
)
def test_every_other_field_must_be_equal(other: dict[str, object]) -> None:
    """An equal text, or one that asks the same, answers nothing that differs in another field."""
    held, now = cache(), Generation(1, NOON)
    put(held, key())
    assert held.get(key(**other), now) is None  # type: ignore[arg-type]
    assert held.get(key("q?", **other), now) is None  # type: ignore[arg-type]


def test_the_same_question_in_another_form_is_answered() -> None:
    """Politeness and the final mark ask nothing; another word asks something else."""
    held, now = cache(), Generation(1, NOON)
    put(held, key("What broke?"), "the disk")
    assert held.get(key("Could you tell me what broke"), now) == result("the disk")
    assert held.get(key("What broke?"), now) == result("the disk")
    assert held.get(key("What broke it?"), now) is None
    assert (held.counts.near, held.counts.equal) == (1, 1)


@pytest.mark.parametrize(
    "fields", [{"recipe": "exact"}, {"vector": b"\0\1\0\0\x3c\0"}], ids=["exact", "own vector"]
)
def test_a_text_that_is_no_question_answers_its_equal_only(fields: dict[str, object]) -> None:
    """`exact` looks for the words as they are, and a caller's vector stands for its own."""
    held, now = cache(), Generation(1, NOON)
    put(held, key("broken?", **fields))
    assert held.get(key("broken", **fields), now) is None
    assert held.get(key("broken?", **fields), now) is not None


def test_a_near_answer_leads_to_the_callers_own_next_page() -> None:
    """The cursor is one that the caller's own request is accepted with."""
    held, now, own = cache(), Generation(1, NOON), new_recall("mine")
    read = Generation(1, NOON)
    found = result("x", cursor=new_recall("mine?").cursor_to(10))
    held.put(key("mine?"), found, read=read, holds_until=None)
    near = held.get(key("mine"), now)
    assert near is not None
    assert new_recall("mine", cursor=near.cursor) == replace(own, cursor=own.cursor_to(10))


@pytest.mark.parametrize(
    ("jitter", "holds_until", "seconds"),
    [
        (0.0, None, 90),
        (1.0, None, 110),
        (1.0, NOON + timedelta(seconds=7), 7),
        (0.5, NOON + DAY, 100),
    ],
)
def test_an_answer_ends(jitter: float, holds_until: datetime | None, seconds: int) -> None:
    """After its time to live, jittered, or when the first of what it rests on expires."""
    held = cache(ttl_s=100.0, jitter=jitter)
    held.put(key(), result("x"), read=Generation(1, NOON), holds_until=holds_until)
    before = NOON + timedelta(seconds=seconds) - timedelta(microseconds=1)
    assert held.get(key(), Generation(1, before)) is not None
    assert held.get(key("q?"), Generation(1, before)) is not None
    after = before + timedelta(microseconds=1)
    assert held.get(key(), Generation(1, after)) is None
    assert (held.counts.expired, len(held), held.size) == (1, 0, 0)


def test_no_answer_outlives_its_day() -> None:
    """ "Yesterday" names another day after midnight (UTC), whatever the time to live."""
    held = cache(ttl_s=10 * DAY.total_seconds())
    put(held, key())
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert held.get(key(), Generation(1, midnight - timedelta(microseconds=1))) is not None
    assert held.get(key(), Generation(1, midnight)) is None


@pytest.mark.parametrize("zone", ["+13:00", "-08:00", "Asia/Kolkata"])
def test_the_day_is_the_askers(zone: str) -> None:
    """An answer ends at the next midnight of the asker's zone."""
    held, asked = cache(ttl_s=10 * DAY.total_seconds()), zone_named(zone)
    held.put(key(), result("x"), read=Generation(1, NOON), holds_until=None, zone=asked)
    day = NOON.astimezone(asked).date() + timedelta(days=1)
    midnight = datetime(day.year, day.month, day.day, tzinfo=asked).astimezone(UTC)
    assert held.get(key(), Generation(1, midnight - timedelta(microseconds=1))) is not None
    assert held.get(key(), Generation(1, midnight)) is None


def test_the_least_recently_used_leave_first() -> None:
    """What was asked for stays, and what is larger than all may be is not kept."""
    one = size_of((key("0"), key("0"), result("x")))
    held, now = cache(capacity_bytes=3 * one), Generation(1, NOON)
    for number in range(3):
        put(held, key(f"{number}"))
    assert len(held) == 3
    assert held.get(key("0"), now) is not None
    put(held, key("3"))
    assert held.get(key("1"), now) is None
    assert held.get(key("0"), now) is not None
    assert held.counts.evicted >= 1
    entries = len(held)
    put(held, key("huge"), "x" * 4 * one)
    assert held.get(key("huge"), now) is None
    assert len(held) == entries


def test_bytes_are_what_the_entries_take() -> None:
    """What is counted is what Python allocates for them, within a third."""
    held = cache(capacity_bytes=1 << 30)
    put(held, key("warm"))
    tracemalloc.start()
    try:
        counted, allocated = held.size, tracemalloc.get_traced_memory()[0]
        for number in range(300):
            hits = tuple(
                Hit(
                    uuid4(), f"{number} said " * 20, number / 300, Layer.EPISODIC, f"agent {at}",
                    f"session {number}", (f"tag {at}",), None,
                    datetime.fromtimestamp(number, UTC), datetime.fromtimestamp(at, UTC),
                    {"ticket": f"OPS-{number}"},
                )
                for at in range(10)
            )  # fmt: skip
            held.put(
                key(f"what did {number} say?"), RecallResult(hits),
                read=Generation(1, NOON), holds_until=None,
            )  # fmt: skip
        counted = held.size - counted
        allocated = tracemalloc.get_traced_memory()[0] - allocated
    finally:
        tracemalloc.stop()
    assert 0.75 < counted / allocated < 1.33
