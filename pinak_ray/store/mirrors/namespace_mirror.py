"""One namespace's words, windows and vectors, as they were at one moment of the database."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt

from pinak_ray.embedding import Vectors
from pinak_ray.store.database import uuid_of
from pinak_ray.store.mirrors.columns import Column
from pinak_ray.store.mirrors.ids import Ids
from pinak_ray.store.mirrors.pages import Page
from pinak_ray.store.mirrors.postings import Postings, Vocabulary
from pinak_ray.store.mirrors.rarity import AskedTerms
from pinak_ray.store.mirrors.vector_table import VectorTable
from pinak_ray.store.mirrors.word_table import WordTable

__all__ = ["NamespaceMirror", "Said"]

# A term and its number, in a dictionary.
_BYTES_PER_TERM = 150

Places = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float64]


class Said(NamedTuple):
    """By place: each score, NaN where nothing is known, (n,); and which places were chosen."""

    scores: Scores
    chosen: Places


class NamespaceMirror:
    """What one namespace holds of a model; n memories, each at a place of its own.

    A memory's own words and vector never change; its window's may be written anew.
    """

    def __init__(self, dimension: int) -> None:
        self.ids = Ids()
        self._alive = Column(np.bool_)
        self._expires = Column(np.float64)
        self._vocabulary: Vocabulary = {}
        self._texts = (Column(np.int64), Column(np.int64))
        """A hash of each one's words, own and window's: 0 for none."""
        self.own_words = WordTable(self._vocabulary)
        self.window_words = WordTable(self._vocabulary)
        self.own_vectors = VectorTable(dimension)
        self.window_vectors = VectorTable(dimension)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        """What it takes in memory, about."""
        tables = (self.own_words, self.window_words, self.own_vectors, self.window_vectors)
        columns = (self.ids, self._alive, self._expires, *self._texts)
        held = sum(each.nbytes for each in (*tables, *columns))
        return held + _BYTES_PER_TERM * len(self._vocabulary)

    def add_own(self, page: Page) -> None:
        """Hold memories: their words, and their vectors as far as the page has these."""
        places = self.ids.places(page.ids)
        new = places < 0
        places[new] = self.ids.add(page.ids[new])
        for column, values in ((self._alive, page.alive), (self._expires, page.expires)):
            column.extend(values[new])
            column.values[places] = values  # one may have come back from the archive
        for column in self._texts:
            column.fill_to(len(self), 0)
        self._add_words(self._texts[0], self.own_words, places, page.lexemes)
        with_vector = page.seqs > 0
        self.own_vectors.add(places[with_vector], page.units, page.seqs[with_vector])

    def add_windows(self, page: Page) -> None:
        """Hold windows of memories; what a page has of a window is what is there now."""
        places = self.ids.places(page.ids)
        known = places >= 0  # what is said around a memory that was purged meanwhile tells nothing
        texts = [page.lexemes[at] for at in np.flatnonzero(known).tolist()]
        self._add_words(self._texts[1], self.window_words, places[known], texts)
        with_vector = page.seqs > 0
        held = known[with_vector]
        self.window_vectors.add(
            places[with_vector][held], page.units[held], page.seqs[with_vector][held]
        )

    def _add_words(
        self, held: Column, table: WordTable, places: Places, texts: Sequence[str]
    ) -> None:
        """Hold words that are not held so already."""
        hashes = np.array([hash(text) or 1 for text in texts], dtype=np.int64)
        differs = np.flatnonzero(held.values[places] != hashes)
        if len(differs):
            held.values[places[differs]] = hashes[differs]
            changed = [texts[at] for at in differs.tolist()]
            table.add(places[differs], Postings.of(changed, self._vocabulary))

    def find_words(self, terms: Sequence[str]) -> tuple[Said, Said]:
        """Score all own texts and all windows by the terms, each of which is given once.

        NaN where no word is shared in an own text, or where there is no window.
        """
        found = self.own_words.find(terms)
        documents, corpus = found.documents, self.own_words.rows
        asked = AskedTerms.of(documents, corpus)
        own = self.own_words.score(asked, found)
        by_place = self.own_words.by_place(own.scores, len(self))
        by_place[by_place == 0] = np.nan
        mine = Said(by_place, self.own_words.places_of(own.chosen))
        if not self.window_words.rows:
            return mine, Said(np.full(len(self), np.nan), own.chosen[:0])
        around = self.window_words.score(asked, self.window_words.find(terms))
        by_place = self.window_words.by_place(around.scores, len(self))
        return mine, Said(by_place, self.window_words.places_of(around.chosen))

    def find_meaning(self, unit: Vectors) -> tuple[Said, Said]:
        """Return the cosines of all own texts and windows with a unit vector."""
        own = self.own_vectors.cosines(unit, len(self))
        windows = self.window_vectors.cosines(unit, len(self))
        return Said(own, _known(own)), Said(windows, _known(windows))

    def best(self, said: Said, wanted: int, now: float) -> Places:
        """Return the `wanted` best of those chosen who live at `now`, best first; equal by id."""
        places = said.chosen
        living = self._alive.values[places] & (self._expires.values[places] > now)
        if not living.all():
            places = places[living]
        scores = said.scores[places]
        if len(places) > wanted:
            least = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
            places = places[scores >= least]
            scores = said.scores[places]
        order = np.lexsort((self.ids.values[places].view("S16"), -scores))
        found: Places = places[order[:wanted]]
        return found

    def uuids(self, places: Places) -> list[UUID]:
        """Return the ids of these memories."""
        return list(map(uuid_of, self.raw_ids(places)))

    def raw_ids(self, places: Places) -> list[bytes]:
        """Return the ids of these memories, 16 bytes each, as a query's argument may be."""
        ids: list[bytes] = self.ids.values[places].tolist()
        return ids

    def bury(self, places: Places) -> None:
        """Note that these memories are over: they answer no more."""
        self._alive.values[places] = False

    def doubtful(self, memories: int, windows: int) -> tuple[list[bytes], list[bytes]]:
        """Return whose memories and whose windows may be gone: all, where more are held than so."""
        every = np.arange(len(self), dtype=np.int32)

        def held(table: WordTable, expected: int) -> list[bytes]:
            return self.raw_ids(every[table.rows_of(every) >= 0]) if table.rows > expected else []

        return held(self.own_words, memories), held(self.window_words, windows)

    def purge(self, ids: Sequence[UUID]) -> None:
        """Forget all that is held of these memories, as far as any is."""
        places = self._places(ids)
        self.bury(places)
        self.drop_windows(places)
        self.own_words.drop(places)
        self.own_vectors.drop(places)
        self._texts[0].values[places] = 0

    def windows_differ(self, places: Places, seqs: Sequence[int | None]) -> Places:
        """Return those of the memories whose window is another than the database says.

        `seqs` are the numbers of their vectors there: None for no window, 0 for one without.
        """
        held = self.window_vectors.seqs_of(places)
        has_words = self.window_words.rows_of(places) >= 0
        there = np.array([seq is not None for seq in seqs], dtype=np.bool_)
        numbers = np.array([seq or 0 for seq in seqs], dtype=np.int64)
        # One that has got its vector since is not another.
        differ: Places = places[(has_words & ~there) | ((held > 0) & (held != numbers))]
        return differ

    def purge_windows(self, ids: Sequence[UUID]) -> None:
        """Forget the windows of these memories."""
        self.drop_windows(self._places(ids))

    def _places(self, ids: Sequence[UUID]) -> Places:
        places = self.ids.places(np.frombuffer(b"".join(id_.bytes for id_ in ids), dtype="V16"))
        return places[places >= 0]

    def drop_windows(self, places: Places) -> None:
        """Forget these memories' windows: they were written anew, or will be."""
        self.window_words.drop(places)
        self.window_vectors.drop(places)
        self._texts[1].values[places] = 0


def _known(scores: Scores) -> Places:
    return np.flatnonzero(~np.isnan(scores)).astype(np.int32)
