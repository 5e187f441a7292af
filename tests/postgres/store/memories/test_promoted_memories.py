"""What of a promotion is there already: by id, by content, and within one namespace."""

from uuid import UUID, uuid4

import pytest

from pinak_ray.records.ids import uuid7
from pinak_ray.records.memory.memories import Memory, new_memory
from pinak_ray.records.memory.promotion import FindPromoted, Known, MadeFrom, Sought
from pinak_ray.records.memory.revisions import new_revision
from pinak_ray.store.database import Database
from pinak_ray.store.lifecycle.revisions import forget_memory, revise_memory
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from pinak_ray.store.memories.promotion import find_promoted

pytestmark = pytest.mark.postgres

NAMESPACE = 7


async def stored(database: Database, content: str, *, namespace_id: int = NAMESPACE) -> Memory:
    """Store what an entry became, in its third version."""
    promoted = {"version": 3, "says": "abc"}
    memory = new_memory(namespace_id, "ada", content, details={"promoted": promoted})
    await commit_memories(database, [encode_memory(memory)])
    return memory


async def known(database: Database, *sought: tuple[UUID, str]) -> list[Known]:
    """Ask as a recaller does."""
    asked = tuple(Sought(*each) for each in sought)
    return list(await find_promoted(database, FindPromoted(NAMESPACE, asked)))


async def test_a_memory_is_known_by_its_id_and_another_by_what_it_says(database: Database) -> None:
    """Each in its place: the memory with the entry's state, or the oldest one that says it."""
    memory = await stored(database, "migrations lock tables")
    await stored(database, "migrations lock tables")

    assert await known(
        database,
        (uuid4(), "something else"),
        (memory.id, "whatever it says now"),
        (uuid4(), "migrations lock tables"),
        (uuid4(), "Migrations lock tables"),
    ) == [
        Known(),
        Known(memory.id, MadeFrom(3, "abc")),
        Known(same=memory.id),
        Known(),
    ]


async def test_revisions_are_followed_to_the_last(database: Database) -> None:
    """However it was revised; without a word on promotion in it, it was made by other means."""
    first = await stored(database, "one")
    second = new_revision(NAMESPACE, "eve", first.id, "two")
    await revise_memory(database, second, model_id=1)
    third = new_revision(NAMESPACE, "eve", second.memory.id, "three", details={"by": "hand"})
    await revise_memory(database, third, model_id=1)

    assert await known(database, (first.id, "one"), (uuid4(), "two"), (uuid4(), "three")) == [
        Known(third.memory.id),
        Known(),
        Known(same=third.memory.id),
    ]


async def test_what_was_forgotten_or_is_elsewhere_is_not_the_same(database: Database) -> None:
    """Neither is a memory of another namespace known, nor one that nothing finds any more."""
    elsewhere = await stored(database, "a secret of others", namespace_id=8)
    gone = await stored(database, "a fact that went")
    await forget_memory(database, NAMESPACE, gone.id)

    assert await known(
        database, (elsewhere.id, "a secret of others"), (uuid4(), "a fact that went")
    ) == [Known(), Known()]


@pytest.mark.parametrize(
    "content",
    [
        "it's a \\ backslash & a quote's | 'end' \\'",
        "naïve café — déjà vu ✓",
        "the of and to",
        "!",
        "x" * 5_000,
        " ".join(f"word{n}" for n in range(5_000)),
    ],
)
async def test_any_content_can_be_looked_for(database: Database, content: str) -> None:
    """Whatever it is made of; only what has no word at all is not found again."""
    memory = await stored(database, content)
    has_words = content != "!"

    assert await known(database, (uuid7(), content)) == [
        Known(same=memory.id if has_words else None)
    ]
