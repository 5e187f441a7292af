"""A gateway over a backend that is a few dictionaries: no Ray, no database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson
from starlette.applications import Starlette

from pinak_ray.recall.cache.answers import CachePolicy
from pinak_ray.records.board.findings import PostFinding
from pinak_ray.records.errors import NotFound, Superseded, VersionConflict
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.context import Context, ContextSection
from pinak_ray.records.memory.curation import Curated, CurationPolicy, CurationReport, Reason
from pinak_ray.records.memory.grades import Grade, GradeAction, Quality, RetrievalGrade
from pinak_ray.records.memory.links import Link, LinkKind, Related
from pinak_ray.records.memory.memories import Ack, Layer, Memory, Receipt
from pinak_ray.records.memory.nudges import Nudge, NudgeKind, Strength
from pinak_ray.records.memory.recall import Hit, RecallResult, Signal, Trace
from pinak_ray.records.memory.revisions import History, Version
from pinak_ray.records.operations import (
    ChangeLink,
    Execute,
    Feedback,
    Forget,
    Intend,
    Note,
    Post,
    Read,
    ReadContext,
    ReadRelated,
    Recall,
    Recollect,
    Remember,
    Revise,
    Watch,
    WatchPage,
)
from pinak_ray.records.state.owners import Entry, EntryKind, WorkingItem
from pinak_ray.security.keys import PublicKey, SigningKey
from pinak_ray.security.scopes import Scope
from pinak_ray.security.tokens import issue_token
from pinak_ray.serve.app import create_app
from pinak_ray.serve.v1.application import application

DIMENSION = 4
HOME = NamespaceKey("acme", "shop")
NOWHERE = UUID(int=7)
"""A memory that cannot be linked to."""
NUDGE = UUID("0198f3a2-7c1e-8000-8000-000000000001")


def hit_of(memory: Memory) -> Hit:
    """Return a memory as a hit with a traced signal."""
    return Hit(
        memory.id,
        memory.content,
        1.5,
        memory.layer,
        memory.agent,
        memory.session,
        memory.tags,
        memory.outcome,
        memory.occurred_at,
        memory.created_at,
        {},
        memory.source,
        (Signal("bm25", 1.5, 1, 1.0, 1.5),),
    )


class FakeTransport:
    """Records every operation that it is sent, and applies it to dictionaries."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.namespaces: list[NamespaceKey] = []
        self.failure: Exception | None = None
        self.before: Callable[[], Any] | None = None
        self.memories: dict[Any, Memory] = {}
        self.superseded: dict[UUID, UUID] = {}
        self.items: dict[Any, WorkingItem] = {}
        self.entries: dict[Any, list[Entry]] = {}
        self.page: WatchPage | None = None

    async def namespace_id(self, key: NamespaceKey) -> int:
        if key not in self.namespaces:
            self.namespaces.append(key)
        return self.namespaces.index(key) + 1

    async def send(self, operation: Any) -> Any:
        self.sent.append(operation)
        if self.before is not None:
            await self.before()
        if self.failure is not None:
            raise self.failure
        return getattr(self, f"_{type(operation).__name__.lower()}")(operation)

    def submit(self, operation: Any) -> Any:
        raise NotImplementedError

    async def aclose(self) -> None:
        return None

    def _remember(self, operation: Remember) -> Receipt:
        memory = operation.memory
        held = self._held(memory)
        self.memories[held.id] = held
        return Receipt(held.id, operation.ack, held is memory)

    def _held(self, memory: Memory) -> Memory:
        """Return what is stored under the memory's id or key, or else the memory itself."""
        key = memory.write_key
        keyed = (m for m in self.memories.values() if key is not None and m.write_key == key)
        return self.memories.get(memory.id) or next(keyed, memory)

    def _revise(self, operation: Revise) -> Receipt:
        revision, ack = operation.revision, operation.ack
        old = self.memories.get(revision.memory_id)
        if old is None:
            raise NotFound(f"there is no memory {revision.memory_id}")
        if (held := self._held(revision.memory)) is not revision.memory:
            return Receipt(held.id, ack, False)
        if old.id in self.superseded:
            raise Superseded(old.id, self.superseded[old.id])
        self.memories[revision.memory.id] = revision.over(old)
        self.superseded[old.id] = revision.memory.id
        return Receipt(revision.memory.id, ack)

    def _forget(self, operation: Forget) -> Receipt:
        gone = self.memories.pop(operation.memory_id, None)
        return Receipt(operation.memory_id, Ack.DURABLE, gone is not None)

    def _recall(self, operation: Recall) -> RecallResult:
        found = [m for m in self.memories.values() if m.namespace_id == operation.namespace_id]
        hits = tuple(hit_of(memory) for memory in found[: operation.request.k])
        trace = Trace("default", "none", {"bm25": 1.0}, {"bm25": 1}, 1, 1, None, {"total": 0.1})
        more = len(found) > operation.request.k
        return RecallResult(
            hits,
            trace if operation.request.trace else None,
            operation.request.cursor_to(operation.request.offset + operation.request.k)
            if more
            else None,
        )

    def _changelink(self, operation: ChangeLink) -> Receipt:
        change, ack = operation.change, operation.ack
        if change.strength is not None and change.to_id == NOWHERE:
            raise NotFound(f"memory {NOWHERE} does not exist in this namespace")
        return Receipt(change.id, ack, self.sent.count(operation) == 1)

    def _readrelated(self, operation: ReadRelated) -> tuple[Related, ...]:
        hits = [hit_of(memory) for memory in self.memories.values()]
        start = operation.request.memory_id
        return tuple(
            Related(hit, 0.5, 1, Link(start, hit.id, LinkKind.FIXES, 0.5, None, hit.created_at))
            for hit in hits
        )

    def _intend(self, operation: Intend) -> tuple[Nudge, ...]:
        evidence = tuple(hit_of(m) for m in self.memories.values() if m.layer is Layer.EPISODIC)
        nudge = Nudge(NudgeKind.FAILURE, Strength.HIGH, "failed", "alike", 0.9, evidence, NUDGE)
        return (nudge,)[: operation.k]

    def _feedback(self, operation: Feedback) -> Receipt:
        if operation.subject != NUDGE:
            raise NotFound(f"no nudge and no memory has the id {operation.subject}")
        new = operation not in self.sent[:-1]
        return Receipt(operation.subject, Ack.DURABLE, new)

    def _grade(self, operation: Grade) -> RetrievalGrade:
        ids = operation.memory_ids
        return RetrievalGrade(Quality.INCORRECT, GradeAction.DISCARD, 0.0, 0.0, (), (), ids, ())

    def _note(self, operation: Note) -> Receipt:
        old = self.items.get((operation.owner, operation.key))
        version = 0 if old is None else old.version
        if operation.expected_version not in (None, version):
            raise VersionConflict(operation.key, operation.expected_version or 0, version)
        now = datetime.now(UTC)
        item = WorkingItem(operation.key, operation.encoded, version + 1, now, None, operation.id)
        self.items[operation.owner, operation.key] = item
        return Receipt(operation.id, operation.ack, True, item.version)

    def _recollect(self, operation: Recollect) -> tuple[WorkingItem, ...]:
        return tuple(
            item
            for (owner, key), item in self.items.items()
            if owner == operation.owner and operation.key in (None, key)
        )

    def _readcontext(self, operation: ReadContext) -> Context:
        working = ContextSection("working_memory", 1, 0, 3, 6)
        return Context("plan: migrate", 3, 1, 0, 6, 0.5, (working,))

    def _post(self, operation: Post) -> Receipt:
        entries = self.entries.setdefault(operation.owner, [])
        new = all(entry.id != operation.id for entry in entries)
        if new:
            entries.append(
                Entry(
                    operation.id,
                    len(entries) + 1,
                    operation.kind,
                    operation.author,
                    operation.key,
                    operation.content,
                    operation.encoded_details,
                    1,
                    datetime.now(UTC),
                    None,
                    operation.id,
                )
            )
        return Receipt(operation.id, operation.ack, new, 1)

    def _execute(self, operation: Execute[Receipt]) -> Receipt:
        owner, id_, author = operation.owner, operation.id, operation.author
        command, ack = operation.command, operation.ack
        assert isinstance(command, PostFinding)
        details = orjson.dumps(command.details)
        kind = EntryKind.FINDING
        return self._post(Post(owner, id_, kind, author, command.content, details, ack=ack))

    def _read(self, operation: Read) -> tuple[Entry, ...]:
        entries = self.entries.get(operation.owner, [])
        return tuple(entry for entry in entries if entry.seq > operation.after_seq)

    def _watch(self, operation: Watch) -> WatchPage:
        if self.page is not None:
            return self.page
        entries = self.entries.get(operation.owner, [])
        found = tuple(entry for entry in entries if entry.seq > operation.after_seq)
        return WatchPage(found, len(entries))


class FakeBackend:
    """The stack, as far as the routes can see."""

    dimension = DIMENSION

    def __init__(self) -> None:
        self.transport = FakeTransport()
        self.keys: dict[str, PublicKey] = {}
        self.key_reads = 0
        self.key_failure: Exception | None = None
        self.parts = {"postgresql": "ok", "writer": "ok"}
        self.curated: dict[int, CurationReport] = {}

    async def public_keys(self) -> Mapping[str, PublicKey]:
        self.key_reads += 1
        if self.key_failure is not None:
            raise self.key_failure
        return self.keys

    async def readiness(self) -> Mapping[str, str]:
        return self.parts

    async def stats(self, namespace_id: int) -> Mapping[str, Any]:
        return {"memories": len(self.transport.memories), "namespace_id": namespace_id}

    async def versions(
        self, namespace_id: int, memory_id: UUID, *, limit: int, before: UUID | None
    ) -> History:
        found = self.transport.memories.get(memory_id)
        if found is None or found.namespace_id != namespace_id:
            raise NotFound(f"there is no memory {memory_id}")
        version = Version(found, self.transport.superseded.get(memory_id), None)
        return History(version, (version,), before)

    async def curation(self, namespace_id: int) -> Mapping[str, Any]:
        last = self.curated.get(namespace_id)
        return {"policy": asdict(CurationPolicy()), "archived": 3, "last": last}

    async def curate(self, namespace_id: int, *, dry_run: bool) -> CurationReport:
        now, counts = datetime.now(UTC), {reason.value: 0 for reason in Reason}
        weak = Curated(NUDGE, Reason.WEAK, "the weather", 0.02)
        report = CurationReport(
            dry_run, now, 0.1, 9, {**counts, "weak": 1}, 11, 0, 0, True, (weak,)
        )
        if not dry_run:
            self.curated[namespace_id] = report
        return report

    async def scratchpad_figures(self, namespace_id: int) -> Mapping[str, Any]:
        return {
            "scratchpads": 2,
            "active": 1,
            "entries": 3,
            "kinds": {"observation": 3},
            "bytes": 90,
            "examples_found": 0,
            "templates": 0,
        }

    async def cache_figures(self) -> Mapping[str, Any]:
        lookups = {"equal": 6, "near": 2, "shared": 1, "miss": 3}
        drops = {"evicted": 0, "stale": 2, "expired": 0}
        held = {"entries": 1, "bytes": 900, "lookups": lookups, "drops": drops}
        return {"process": 7, **asdict(CachePolicy()), **held}

    async def metrics(self) -> Sequence[bytes]:
        return [b"# HELP pinak_other Other.\n# TYPE pinak_other gauge\npinak_other 1.0\n"]


@dataclass
class Stack:
    """One gateway with its key and its backend."""

    backend: FakeBackend = field(default_factory=FakeBackend)
    key: SigningKey = field(default_factory=SigningKey.generate)
    options: dict[str, Any] = field(default_factory=dict)
    app: Starlette = field(init=False)

    def __post_init__(self) -> None:
        self.backend.keys[self.key.kid] = self.key.public
        self.app = create_app(self.backend, **self.options)

    @property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document."""
        return application(self.app.state.context).openapi()

    @property
    def sent(self) -> list[Any]:
        """The operations that reached the transport."""
        return self.backend.transport.sent

    def token(
        self,
        subject: str = "deployer",
        *,
        namespace: NamespaceKey = HOME,
        scopes: Sequence[str] = (Scope.READ, Scope.WRITE, Scope.AGENTS),
        key: SigningKey | None = None,
        age: timedelta = timedelta(0),
        lifetime: timedelta = timedelta(hours=1),
    ) -> str:
        """Return a token, by default one that holds."""
        return issue_token(
            key or self.key,
            subject,
            namespace=namespace,
            scopes=scopes,
            lifetime=lifetime,
            now=datetime.now(UTC) - age,
        )

    def client(self, token: str | None = None, **token_options: Any) -> httpx.AsyncClient:
        """Return a client; an empty `token` sends none."""
        given = self.token(**token_options) if token is None else token
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://gateway",
            headers={"Authorization": f"Bearer {given}"} if given else {},
        )
