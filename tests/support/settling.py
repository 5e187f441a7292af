"""Settle: windows that nothing more can be said around get their words, and then their vectors."""

from pinak_ray.store.database import Database
from pinak_ray.store.indexing.backfill import backfill_some
from pinak_ray.store.indexing.indexing import EncodeVectors
from pinak_ray.store.indexing.windows import settle_words

__all__ = ["settle_some"]


async def settle_some(
    database: Database, encode: EncodeVectors, *, model_id: int, quiet_s: float
) -> int:
    """Write the windows that have settled, of a few sessions; return of how many entries.

    Words first, in a transaction of their own: what owes their vectors meanwhile is the back-fill.
    """
    settled = await settle_words(database, model_id=model_id, quiet_s=quiet_s)
    while settled and await backfill_some(database, model_id, encode) is not None:
        pass
    return settled
