"""Entities: one by any of its names, merged and split, true at a time."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.agents.scratchpad import entity as entity_module
from pinak_ray.language.names import folded, nearly_same
from pinak_ray.records.errors import InvalidInput, NotFound
from pinak_ray.records.scratchpad.entities import (
    Entities,
    EntityContext,
    Mention,
    OneEntity,
    Relate,
    SplitEntity,
    Timeline,
)
from pinak_ray.records.state.owners import EntryKind
from tests.support.scratchpads import NOW, Scratchpad

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("order service", "orders service", True),
        ("redis cluster", "redis-clusters", True),
        ("payment-gateway", "payment gateway", True),
        ("authentication service", "authentification service", True),
        ("auth service", "author service", False),
        ("order service", "border service", False),
        ("orders-db", "users-db", False),
        ("server1000", "server1001", False),
        ("order service 1", "order service 2", False),
        ("authentication service replica east", "authentication service replica west", False),
        ("authentication service primary a", "authentication service primary b", False),
        ("🦜", "🐈", False),
    ],
)
def test_names_that_are_nearly_the_same(one: str, other: str, same: bool) -> None:
    """Spellings of one name are one; another number, place or part makes another thing."""
    assert nearly_same(one, other) is nearly_same(other, one) is same


@given(st.text(max_size=30), st.text(max_size=30))
def test_being_nearly_the_same_is_mutual(one: str, other: str) -> None:
    """Neither order of two names nor any text breaks the comparison."""
    assert nearly_same(folded(one), folded(other)) == nearly_same(folded(other), folded(one))


def named(pad: Scratchpad, name: str, **view: Any) -> Any:
    """Return an entity by name."""
    return pad.show(OneEntity(called=name, **view))


@pytest.mark.parametrize("name", ["ORDER  SERVICE", "ｏrder service", "orders", "order services"])
def test_a_mention_finds_its_entity(name: str) -> None:
    """By case, width, spaces, alias or spelling: it is the same entity, called as at first."""
    pad = Scratchpad()
    first = pad.made(Mention(name="Order Service", aliases=("orders",)))

    assert pad.made(Mention(name=name)) == first
    assert named(pad, name).name == "Order Service"
    assert named(pad, name).mentions == 2


def test_another_type_is_another_entity_unless_the_name_is_the_same() -> None:
    """Spelling alone does not make a person of a service."""
    pad = Scratchpad()
    first = pad.made(Mention(name="order service", type="service"))

    assert pad.made(Mention(name="order services", type="person")) != first
    assert pad.made(Mention(name="Order Service", type="person")) == first
    assert named(pad, "order service").type == "service"


def test_one_name_belongs_to_one_entity() -> None:
    """A mention under two entities' names makes them one, the one that it names first."""
    pad = Scratchpad()
    first = pad.made(Mention(name="db-1", roles=("primary",)))
    second = pad.made(Mention(name="orders-db", type="database", roles=("suspect",)))
    assert pad.made(Mention(name="orders-db", aliases=("db-1",))) == second

    (entity,) = pad.show(Entities()).entities
    assert (entity.id, entity.type, entity.mentions) == (second, "database", 3)
    assert set(entity.roles) == {"primary", "suspect"}
    assert named(pad, "DB-1").id == second
    merged = [entry for entry in pad.entries(EntryKind.ENTITY) if entry.id == first]
    assert merged[0].details["merged_into"] == str(second)


def test_a_split_gives_back_what_each_had() -> None:
    """Names, facts and relations go by name; a later mention does not merge them again."""
    pad = Scratchpad()
    pad.do(Mention(name="api"))
    first = pad.made(Mention(name="db-1", states={"health": "up"}))
    second = pad.made(Mention(name="orders-db", states={"health": "down"}))
    pad.do(Relate(subject="api", relation="reads", object="orders-db"))
    pad.do(Mention(name="db-1", aliases=("orders-db",)))
    assert named(pad, "api").relations[0].object == "db-1"

    pad = pad.again()
    pad.do(SplitEntity(name="db-1", names=("orders-db",)))
    pad.do(Mention(name="db-1", aliases=("orders-db",)))
    assert (named(pad, "db-1").id, named(pad, "orders-db").id) == (first, second)
    assert named(pad, "db-1").states == {"health": "up"}
    assert named(pad, "orders-db").states == {"health": "down"}
    assert named(pad, "api").relations[0].object == "orders-db"
    assert len(named(pad, "db-1").relations) == 0


def test_a_split_must_leave_something() -> None:
    """Names must be the entity's, and one must stay."""
    pad = Scratchpad()
    pad.do(Mention(name="api", aliases=("gateway",)))
    with pytest.raises(NotFound):
        pad.do(SplitEntity(name="api", names=("database",)))
    with pytest.raises(InvalidInput):
        pad.do(SplitEntity(name="api", names=("api", "gateway")))
    with pytest.raises(NotFound):
        pad.do(SplitEntity(name="database", names=("api",)))


def test_an_alias_can_be_split_off() -> None:
    """Also a name that was never an entity of its own becomes one, with a new id."""
    pad = Scratchpad()
    first = pad.made(Mention(name="api", aliases=("gateway",), attributes={"team": "blue"}))
    new = pad.made(SplitEntity(name="api", names=("gateway",)))

    assert new != first
    assert named(pad, "gateway").attributes == {}
    assert named(pad, "api").aliases == ()


@given(st.permutations([(0, "up"), (1, "down"), (2, "down"), (3, "up"), (4, "up")]))
def test_what_was_true_when_does_not_depend_on_when_it_was_learned(
    learned: list[tuple[int, str]],
) -> None:
    """In whatever order states are told, each moment has its own, and the timeline its phases."""
    pad = Scratchpad()
    for hour, state in learned:
        pad.do(Mention(name="api", states={"health": state}, at=NOW + hour * HOUR))

    seen = [named(pad, "api", at=NOW + hour * HOUR).states.get("health") for hour in range(-1, 6)]
    assert seen == [None, "up", "down", "down", "up", "up", "up"]
    events = pad.show(Timeline(called="api")).events
    assert [(event.value, event.at, event.until) for event in events] == [
        ("up", NOW, NOW + HOUR),
        ("down", NOW + HOUR, NOW + 3 * HOUR),
        ("up", NOW + 3 * HOUR, None),
    ]


def test_repeating_oneself_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mention that says nothing new is counted, and an entity is full only of what is new."""
    monkeypatch.setattr(entity_module, "_MAX_FACTS", 8)
    pad = Scratchpad()
    for minute in range(50):
        at = NOW + timedelta(minutes=minute)
        pad.do(
            Mention(
                name="api",
                roles=("suspect",),
                states={"health": "up"},
                attributes={"owner": {"team": minute}},
                at=at,
            )
        )

    assert named(pad, "api").mentions == 50
    assert named(pad, "api").attributes == {"owner": {"team": 49}}
    assert len(pad.entries(EntryKind.ENTITY)[0].details["facts"]) <= 8
    with pytest.raises(InvalidInput):
        pad.do(Mention(name="api", attributes=dict.fromkeys("abcdefgh", 1)))


def test_relations_are_of_known_entities() -> None:
    """Both ends must be known; the timeline has them from either side."""
    pad = Scratchpad()
    pad.do(Mention(name="api"))
    for subject, object_ in (("api", "db"), ("db", "api")):
        with pytest.raises(NotFound):
            pad.do(Relate(subject=subject, relation="reads", object=object_))
    pad.do(Mention(name="db"))
    pad.do(Relate(subject="api", relation="reads", object="db", at=NOW))

    assert named(pad, "db").relations == named(pad, "api").relations
    assert named(pad, "db", at=NOW - HOUR).relations == ()
    assert [event.what for event in pad.show(Timeline(called="db")).events] == ["reads"]


def test_context_is_what_the_query_is_about() -> None:
    """Names beat attributes, parts of words do not count, and the budget holds."""
    pad = Scratchpad()
    pad.do(Mention(name="api", aliases=("gateway",), states={"health": "down"}))
    pad.do(Mention(name="db", attributes={"used by": "api"}))
    pad.do(Mention(name="apiary"))

    found = pad.show(EntityContext(query="Is the API down?"))
    assert found.text.splitlines() == ["api; also gateway; health is down", "db; used by: api"]
    assert (found.entities, found.omitted) == (2, 0)
    short = pad.show(EntityContext(query="Is the API down?", budget_tokens=9))
    assert (short.entities, short.omitted, short.tokens) == (1, 1, 9)
    assert pad.show(EntityContext(query="!")).text == ""
