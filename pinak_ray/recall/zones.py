"""The zone of an asker who names none: the namespace's, or else the stack's."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from pinak_ray.records.memory.asker import zone_named
from pinak_ray.records.memory.recall import RecallRequest
from pinak_ray.store.database import Database
from pinak_ray.store.namespaces import find_name

__all__ = ["Zones"]

# A name is looked up again once so many others were asked for.
_KNOWN = 10_000


class Zones:
    """Tells the moment of any namespace's asker.

    `by_namespace` maps "tenant/project" to a zone, and `usual` is all others'. The database is
    asked for a namespace's name once, and only where some have a zone of their own.
    """

    __slots__ = ("_by_id", "_by_name", "_database", "_usual")

    def __init__(
        self, database: Database, usual: str = "UTC", by_namespace: Mapping[str, str] | None = None
    ) -> None:
        self._database = database
        self._usual = zone_named(usual)
        self._by_name = {name: zone_named(zone) for name, zone in (by_namespace or {}).items()}
        self._by_id: OrderedDict[int, tzinfo] = OrderedDict()

    async def moment(self, namespace_id: int, request: RecallRequest) -> datetime:
        """Return the asker's moment, in the asker's zone; raises Unavailable."""
        return request.asked_at(datetime.now(UTC), await self._zone(namespace_id))

    async def _zone(self, namespace_id: int) -> tzinfo:
        if not self._by_name:
            return self._usual
        if namespace_id not in self._by_id:
            async with self._database.service() as connection:
                name = await find_name(connection, namespace_id)
            self._by_id[namespace_id] = self._by_name.get(name, self._usual)
            while len(self._by_id) > _KNOWN:
                self._by_id.popitem(last=False)
        return self._by_id[namespace_id]
