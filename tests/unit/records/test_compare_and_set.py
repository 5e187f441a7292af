"""A law: no interleaving of compare-and-set loses an update, of public entries and of items."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from pinak_ray.records.errors import PinakError
from pinak_ray.records.operations import Note, Post, Read, Recollect
from pinak_ray.records.state.owners import EntryKind, Owner, Space
from tests.support.host_machine import HostMachine, drive

BOARD = Owner(7, Space.BOARD, "plan")
ADA = Owner(7, Space.AGENT, "ada")
KEY = "counter"

AUTHORS = st.sampled_from(["ann", "bob", "eve"])


class Counting(HostMachine):
    """Agents add one to what they read last. Whatever was acknowledged must be in the sum."""

    def __init__(self, runner: asyncio.Runner) -> None:
        super().__init__(runner)
        self.seen: dict[tuple[type, str], tuple[int, int]] = {}
        self.counted: dict[type, set[UUID]] = {Note: set(), Post: set()}

    @rule(author=AUTHORS)
    def read(self, author: str) -> None:
        for kind in (Note, Post):
            self.seen[kind, author] = self.current(kind)

    @rule(author=AUTHORS)
    def add(self, author: str) -> None:
        self.apply(self.increment(Note, author), self.increment(Post, author))

    @rule(authors=st.lists(AUTHORS, min_size=2, max_size=5))
    def add_at_once(self, authors: list[str]) -> None:
        increments = [self.increment(kind, author) for author in authors for kind in (Note, Post)]
        self.race(*increments)

    def increment(self, kind: type, author: str) -> Any:
        value, version = self.seen.get((kind, author), (0, 0))
        text = str(value + 1)
        if kind is Note:
            return Note(ADA, KEY, text.encode(), uuid4(), expected_version=version)
        public = (EntryKind.PUBLIC, author, text)
        return Post(BOARD, uuid4(), *public, key=KEY, expected_version=version)

    def current(self, kind: type) -> tuple[int, int]:
        """Return the value and its version, 0 and 0 before the first."""
        if kind is Note:
            items = self.ask(Recollect(ADA, KEY))
            return (items[0].value, items[0].version) if items else (0, 0)
        entries = self.ask(Read(BOARD))
        return (int(entries[0].content), entries[0].version) if entries else (0, 0)

    def heard(self, operation: Any, result: Any) -> None:
        if isinstance(result, PinakError):
            return
        counted = self.counted[type(operation)]
        assert result.new == (operation.id not in counted)
        counted.add(operation.id)

    @invariant()
    def nothing_is_lost(self) -> None:
        for kind, counted in self.counted.items():
            assert self.current(kind) == (len(counted), len(counted))


def test_no_interleaving_of_compare_and_set_loses_an_update() -> None:
    """Reads and writes of several agents, repeated, refused and over crashes: the sum is right."""
    drive(Counting, steps=30)
