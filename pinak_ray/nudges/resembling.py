"""What in the database resembles an intent, by its words and by its meaning."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from pinak_ray.embedding import Knows
from pinak_ray.language.analysis import query_terms
from pinak_ray.nudges.evidence import CANDIDATES, Evidence, scored
from pinak_ray.records.operations import Intend
from pinak_ray.store.database import Database
from pinak_ray.store.queries import query
from pinak_ray.store.vectors.vector_cache import NOTHING_KNOWN, Known

__all__ = ["SameWords", "find_evidence", "find_words"]


class SameWords(NamedTuple):
    """The failures and the facts that share most with an intent's words, best first."""

    failures: Sequence[UUID]
    facts: Sequence[UUID]


async def find_words(database: Database, intend: Intend, *, facts: bool) -> SameWords:
    """Return what shares words with the intent: failures, and facts where they are asked for."""
    asked = query_terms(intend.intent.search_text)
    most_facts = CANDIDATES if facts else 0
    async with database.reading(intend.owner.namespace_id, generic_plans=True) as connection:
        (row,) = await connection.fetch(query("nudges", "words"), asked, CANDIDATES, most_facts)
    return SameWords(*row)


async def find_evidence(
    database: Database,
    intend: Intend,
    *,
    model_id: int,
    vector: bytes,
    knows: Knows,
    words: SameWords,
    cooldown: timedelta,
    known: Known = NOTHING_KNOWN,
) -> list[Evidence]:
    """Return what may bear on the intent, best first; `vector` is the intent's in halfvec form.

    That is the failures that resemble it, and what shares its `words`. `known` are the failures
    that were compared already.
    """
    owner = intend.owner
    # With nothing known the plan depends on how many failures there are.
    is_looked_up = known.since is not None
    async with database.reading(owner.namespace_id, generic_plans=is_looked_up) as connection:
        rows = await connection.fetch(
            query("nudges", "evidence"),
            owner.namespace_id,
            model_id,
            query_terms(intend.intent.search_text),
            vector,
            CANDIDATES,
            *words,
            owner.name,
            intend.id,
            cooldown,
            known.ids,
            known.distances,
            known.since,
        )
    return scored(rows, intend.intent.search_text, knows)
