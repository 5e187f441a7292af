"""Entries of boards and scratchpads."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pinak_ray.agents.log import entry_log
from pinak_ray.agents.log.drafts import Call, Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.answer_size import MAX_ANSWER_BYTES
from pinak_ray.records.errors import InvalidInput, VersionConflict
from pinak_ray.records.operations import Post, Watch
from pinak_ray.records.state.owners import LOG_KINDS, Entry, EntryKind, Owner, Space

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BOARD = Owner(1, Space.BOARD, "migration")
PAD = Owner(1, Space.AGENT, "ada")


def a_post(content: str = "x", kind: EntryKind = EntryKind.FINDING, **fields: Any) -> Post:
    """Return a post to the board."""
    return Post(fields.pop("owner", BOARD), uuid4(), kind, "ada", content, **fields)


def a_public(content: str = "x", key: str = "plan", **fields: Any) -> Post:
    """Return a post of a public entry."""
    return a_post(content, EntryKind.PUBLIC, key=key, **fields)


def posted(log: EntryLog, post: Post, now: datetime = NOW) -> Entry:
    """Post and return the new entry."""
    entry, new = log.post(post, now=now)
    assert new
    return entry


def contents(log: EntryLog, after: int = 0, limit: int = 100, now: datetime = NOW) -> list[str]:
    """Return what a reader sees."""
    return [entry.content for entry in log.read(after, (), limit, now=now)]


def test_seq_rises_by_one() -> None:
    """Every change of the log, also a replacement, takes the next sequence number."""
    log = EntryLog()
    posts = [a_post(), a_public(), a_post(), a_public(), a_public("y", "other")]

    assert [posted(log, post).seq for post in posts] == [1, 2, 3, 4, 5]


def test_a_public_entry_is_replaced_in_place() -> None:
    """The same key keeps its id, raises its version, and moves to the end of the order."""
    log = EntryLog()
    first = posted(log, a_public("draft"))
    posted(log, a_post("between"))
    second = posted(log, a_public("final"))

    assert (first.id, 2, 3) == (second.id, second.version, second.seq)
    assert contents(log) == ["between", "final"]


def test_a_retried_post_is_the_same_entry() -> None:
    """The same id changes nothing: neither a finding, nor a first or second public post."""
    log = EntryLog()
    for post in (a_post(), a_public("draft"), a_public("final")):
        entry = posted(log, post)
        assert log.post(post, now=NOW + timedelta(hours=1)) == (entry, False)

    assert (log.seq, len(log.entries)) == (3, 2)


def test_compare_and_set_on_a_public_entry() -> None:
    """The expected version must stand there; 0 expects none, and a loser changes nothing."""
    log = EntryLog()
    entry = posted(log, a_public("draft", expected_version=0))
    for wrong in (0, 2):
        with pytest.raises(VersionConflict) as caught:
            log.post(a_public("lost", expected_version=wrong), now=NOW)
        assert caught.value.args == ("plan", wrong, 1)

    assert contents(log) == ["draft"]
    assert posted(log, a_public("final", expected_version=entry.version)).version == 2


def test_an_expired_public_entry_counts_as_none_and_keeps_its_count() -> None:
    """After the expiry 0 is expected, and the version goes on."""
    log = EntryLog()
    posted(log, a_public("draft", ttl_s=10))
    later = NOW + timedelta(seconds=10)

    assert contents(log, now=later) == []
    assert posted(log, a_public("new", expected_version=0), later).version == 2


def test_a_limited_read_returns_the_oldest_first() -> None:
    """A reader that follows its cursor with any limit sees each entry once, in order."""
    log = EntryLog()
    for index in range(7):
        posted(log, a_post(f"{index}"))
    seen: list[str] = []
    cursor = 0
    while page := log.read(cursor, (), 3, now=NOW):
        seen += [entry.content for entry in page]
        cursor = page[-1].seq

    assert contents(log, limit=3) == ["0", "1", "2"]
    assert seen == [f"{index}" for index in range(7)]


def test_kinds_are_chosen_before_the_limit() -> None:
    """A limit counts only entries of the wanted kinds."""
    log = EntryLog()
    for index in range(6):
        posted(log, a_post(f"{index}") if index % 2 else a_public(f"{index}", f"{index}"))
    found = log.read(0, (EntryKind.FINDING,), 2, now=NOW)

    assert [entry.content for entry in found] == ["1", "3"]


@pytest.mark.parametrize("owner", [BOARD, PAD], ids=["board", "scratchpad"])
@pytest.mark.parametrize("kind", EntryKind)
def test_a_kind_belongs_to_one_space(owner: Owner, kind: EntryKind) -> None:
    """A board takes its kinds and a scratchpad its own; the others are refused."""
    post = a_post("x", kind, owner=owner, key="k" if kind is EntryKind.PUBLIC else None)
    if kind in LOG_KINDS[owner.space]:
        assert posted(EntryLog(), post).kind is kind
    else:
        with pytest.raises(InvalidInput, match="does not belong here"):
            EntryLog().post(post, now=NOW)


def test_a_full_log_refuses_new_entries_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit a public entry can still be replaced, and a retry still answered."""
    monkeypatch.setattr(entry_log, "MAX_ENTRIES", 2)
    log = EntryLog()
    finding = a_post()
    posted(log, finding)
    posted(log, a_public())

    with pytest.raises(InvalidInput, match="its limit"):
        log.post(a_post(), now=NOW)
    assert posted(log, a_public("new")).version == 2
    assert not log.post(finding, now=NOW)[1]


def test_a_log_has_a_limit_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """New entries are refused at it; what is there may grow by a quarter more, or be made less."""
    monkeypatch.setattr(entry_log, "MAX_BYTES", 40_000)
    log = EntryLog()
    posted(log, a_public("p" * 9_000))
    posted(log, a_post("f" * 25_000, ttl_s=1.0))
    with pytest.raises(InvalidInput, match="its limit"):
        log.post(a_post("g" * 9_000), now=NOW)
    posted(log, a_public("p" * 20_000))
    with pytest.raises(InvalidInput, match="its limit"):
        log.post(a_public("p" * 30_000), now=NOW)
    posted(log, a_public("short"))
    posted(log, a_post("g" * 30_000), now=NOW + timedelta(seconds=2))
    assert log.size_bytes < 40_000


def test_what_a_command_writes_counts_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft is refused as a post is, and nothing of its command is written."""
    monkeypatch.setattr(entry_log, "MAX_BYTES", 40_000)
    log = EntryLog()
    drafts = [Draft(EntryKind.TASK, "t", {"output": "x" * 15_000}) for _ in range(3)]
    with pytest.raises(InvalidInput, match="its limit"):
        log.write(drafts, Call(uuid4(), "ada", NOW))
    assert (log.entries, log.size_bytes) == ({}, 0)
    ((entry, _),) = log.write(drafts[:1], Call(uuid4(), "ada", NOW))
    more = drafts[0]._replace(id=entry.id, details={"output": "x" * 60_000})
    with pytest.raises(InvalidInput, match="its limit"):
        log.write([more], Call(uuid4(), "ada", NOW))


@pytest.mark.parametrize("first", ["finding", "public"])
def test_an_id_that_comes_again_with_another_key_replaces_nothing(first: str) -> None:
    """The same id is the same entry, also where its caller posts something else under it."""
    log = EntryLog()
    before = a_post("before") if first == "finding" else a_public("before")
    after = replace(a_public("after", "another key"), id=before.id)
    posted(log, before)
    entry, new = log.post(after, now=NOW)

    assert (entry.content, new) == ("before", False)
    assert EntryLog.of(log.entries.values()) == log
    assert [held.content for held in log.read(0, (), 10, now=NOW)] == ["before"]


@given(st.lists(st.tuples(st.sampled_from(["finding", "a", "b", "c"]), st.booleans())))
def test_a_rehydrated_log_goes_on_as_if_nothing_was(steps: list[tuple[str, bool]]) -> None:
    """At any moment a log made anew of its entries, in any order, equals the one that lived."""
    log = EntryLog()
    for name, rehydrated in steps:
        posted(log, a_post() if name == "finding" else a_public(name, name))
        if rehydrated:
            copy = EntryLog.of(reversed(log.entries.values()))
            assert copy == log
            log = copy

    assert log.seq == len(steps)


def test_expired_entries_make_room_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is full of what has expired takes new entries; a full one refuses them."""
    monkeypatch.setattr(entry_log, "MAX_ENTRIES", 2)
    log = EntryLog()
    posted(log, a_public(key="a", ttl_s=1.0))
    posted(log, a_post())
    with pytest.raises(InvalidInput, match="its limit"):
        log.post(a_public(key="b"), now=NOW)

    later = NOW + timedelta(seconds=2)
    posted(log, a_public("new", key="a"), now=later)
    with pytest.raises(InvalidInput, match="its limit"):
        log.post(a_public(key="b"), now=later)


def test_entries_of_a_kind_keep_their_order_over_a_reload() -> None:
    """They are listed as they were made, also when the first of them was changed last."""
    log = EntryLog()
    first = posted(log, a_public("one", key="a"))
    posted(log, a_public("two", key="b"), now=NOW + timedelta(seconds=1))
    again = EntryLog.of(log.entries.values())
    for each in (log, again):
        assert [e.content for e in each.of_kind(EntryKind.PUBLIC, now=NOW)] == ["one", "two"]
    assert first.key == "a"


def test_a_page_of_long_entries_is_cut_by_its_size() -> None:
    """Reading and watching end a page where an answer is full; reading on brings the rest, once."""
    owner, log = Owner(1, Space.BOARD, "b"), EntryLog()
    for number in range(100):
        text = f"{number} " + "é" * 30_000
        log.post(Post(owner, uuid4(), EntryKind.PUBLIC, "a", text, b"{}", str(number)), now=NOW)

    def read(after: int) -> tuple[Entry, ...]:
        return log.read(after, (), 1_000, now=NOW)

    def watched(after: int) -> tuple[Entry, ...]:
        watch = Watch(owner, after, (), (), None, 1_000, 0.0)
        return log.watch(watch, after, log.seq, now=NOW).entries

    for page_after in (read, watched):
        after, pages = 0, []
        while page := page_after(after):
            pages.append(page)
            after = page[-1].seq
        assert [entry.seq for page in pages for entry in page] == list(range(1, 101))
        assert len(pages) == 2
        for page in pages:
            assert sum(len(entry.content.encode()) for entry in page) <= MAX_ANSWER_BYTES
