"""AgentHandle: one agent's memory, working memory and nudges."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from pinak_ray.client.handles.checks import (
    checked_budget,
    checked_version,
    encoded_vector,
    watch_operation,
)
from pinak_ray.client.handles.learning import TemplateVerbs
from pinak_ray.client.handles.links import LinkVerbs
from pinak_ray.client.handles.scratchpad.handle import ScratchpadHandle
from pinak_ray.client.verbs import verb
from pinak_ray.client.watch import watching
from pinak_ray.records.asking import asked
from pinak_ray.records.ids import uuid7
from pinak_ray.records.limits import (
    DEFAULT_BUDGET_TOKENS,
    MAX_WAIT_S,
    check_id,
    check_item_key,
    check_json,
    check_name,
    check_text,
    check_ttl,
)
from pinak_ray.records.memory.grades import Grade
from pinak_ray.records.memory.memories import Ack, Layer, Outcome, ack_level, new_memory
from pinak_ray.records.memory.nudges import Verdict, check_nudge_count, new_intent, verdict_named
from pinak_ray.records.memory.recall import MAX_QUERY_BYTES, new_recall
from pinak_ray.records.memory.revisions import Get, new_revision
from pinak_ray.records.operations import (
    Dedicate,
    Feedback,
    Forget,
    Intend,
    Note,
    ReadContext,
    Recall,
    Recollect,
    Remember,
    Revise,
    Watch,
)
from pinak_ray.records.state.owners import EntryKind, Owner, Space
from pinak_ray.records.state.writes import new_note

__all__ = ["AgentHandle"]


@dataclass(frozen=True, slots=True, repr=False)
class AgentHandle(LinkVerbs, TemplateVerbs):
    """One agent. Always addressable: it is activated on its first use, wherever its host is.

    Example::

        agent = swarm.agent("deployer")
        await agent.remember("migration 42 locks orders for a minute", outcome="failure")
        found = await agent.recall("what locks orders?", k=3)
        for nudge in await agent.intend("run migration 42", tool="psql"):
            print(nudge.message)
        await agent.note("plan", {"step": 1})
        plan = await agent.recollect("plan")

    In a Ray program each verb has `.remote()` too, which gives an ObjectRef to wait for.
    """

    _owner: Owner = field(init=False, compare=False)

    def __post_init__(self) -> None:
        owner = Owner(self.swarm.namespace_id, Space.AGENT, self.name)
        object.__setattr__(self, "_owner", owner)

    @property
    def scratchpad(self) -> "ScratchpadHandle":
        """The agent's private record of the task at hand."""
        return ScratchpadHandle(self.swarm, self.name)

    @verb
    def remember(
        self,
        content: str,
        *,
        layer: Layer | str = Layer.SEMANTIC,
        session: str | None = None,
        details: Mapping[str, Any] | None = None,
        tags: Iterable[str] = (),
        entities: Iterable[str] = (),
        outcome: Outcome | str | None = None,
        salience: float = 0.5,
        occurred_at: datetime | str | None = None,
        ttl_s: float | None = None,
        source: str | None = None,
        vector: Sequence[float] | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Remember:
        """Store one memory; returns a Receipt once the ack level is reached.

        `vector` replaces the embedding of the content. While the memory lives, a second call with
        the same `idempotency_key` stores nothing and returns the first id, with `new=False`. Raises
        IdempotencyMismatch if it says something else, InvalidInput, Overloaded, Unavailable.
        """
        memory = new_memory(
            self.swarm.namespace_id,
            self.name,
            content,
            layer=layer,
            session=session,
            details=details,
            tags=tags,
            entities=entities,
            outcome=outcome,
            salience=salience,
            occurred_at=occurred_at,
            ttl_s=ttl_s,
            source=source,
            vector=encoded_vector(vector, self.swarm.dimension),
            idempotency_key=idempotency_key,
        )
        return Remember(memory, ack if type(ack) is Ack else ack_level(ack))

    @verb
    def revise(
        self,
        memory_id: UUID | str,
        content: str,
        *,
        layer: Layer | str | None = None,
        session: str | None = None,
        details: Mapping[str, Any] | None = None,
        tags: Iterable[str] | None = None,
        entities: Iterable[str] | None = None,
        outcome: Outcome | str | None = None,
        salience: float | None = None,
        occurred_at: datetime | str | None = None,
        ttl_s: float | None = None,
        source: str | None = None,
        vector: Sequence[float] | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Revise:
        """Store what is now said instead of a memory; returns the Receipt of the new one.

        At once the new one is found and the old one is not, except `as_of` a time before. What is
        not given is as it was. Raises NotFound where there is no such memory, Superseded (it names
        the successor) where another revision came first, InvalidInput, Overloaded, Unavailable.
        """
        revision = new_revision(
            self.swarm.namespace_id,
            self.name,
            memory_id,
            content,
            layer=layer,
            session=session,
            details=details,
            tags=tags,
            entities=entities,
            outcome=outcome,
            salience=salience,
            occurred_at=occurred_at,
            ttl_s=ttl_s,
            source=source,
            vector=encoded_vector(vector, self.swarm.dimension),
            idempotency_key=idempotency_key,
        )
        return Revise(revision, ack_level(ack))

    @verb
    def forget(self, memory_id: UUID | str) -> Forget:
        """Remove one memory, whoever stored it; returns a durable Receipt.

        From the receipt on no read finds it. `new` is False where there is no such memory (any
        more): what it revised, or what revised it, stays. Raises InvalidInput, Unavailable.
        """
        return Forget(self._owner, check_id("memory_id", memory_id))

    @verb
    def get(self, memory_ids: Iterable[UUID | str]) -> Get:
        """Read memories by their ids, at most 200; returns FoundMemories, in their order.

        Superseded ones too: each says what took its place. Ids that this namespace does not have
        are named as missing. Raises InvalidInput.
        """
        return asked(Get, self.swarm.namespace_id, memory_ids=memory_ids)

    @verb
    def recall(
        self,
        query: str | None = None,
        *,
        k: int = 10,
        recipe: str = "default",
        rrf_k: int | None = None,
        layers: Iterable[Layer | str] = (),
        agents: Iterable[str] = (),
        sessions: Iterable[str] = (),
        tags: Iterable[str] = (),
        any_tags: Iterable[str] = (),
        no_tags: Iterable[str] = (),
        entities: Iterable[str] = (),
        outcome: Outcome | str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        as_of: datetime | str | None = None,
        min_score: float | None = None,
        min_relevance: float | None = None,
        now: datetime | str | None = None,
        zone: str | tzinfo | None = None,
        every_copy: bool = False,
        rerank: bool | None = None,
        trace: bool = False,
        cursor: str | None = None,
        expand: int = 0,
        vector: Sequence[float] | None = None,
    ) -> Recall:
        """Search the namespace's memories; returns a RecallResult, best hit first.

        All agents' memories are searched; `agents=[...]` narrows. A memory must have every one of
        `tags` and of `entities`, at least one of `any_tags` and none of `no_tags`, have occurred
        from `since` and before `until`, and reach `min_score` and `min_relevance`. `as_of` answers
        from what was believed then. Recipe `recent` needs no query. `trace=True` explains each hit;
        the result's `cursor`, given with the same arguments, asks for the next page. `expand=1`
        adds, behind the hits, up to `k` memories that are linked to them (up to 4 links away).
        Raises InvalidInput.

        Words such as "yesterday" are told from the asker's `now`, or else in their `zone` (an IANA
        name or an offset). Of memories with one content a page has the best, and its `copies` says
        how many they are; `every_copy=True` shows each. `rerank` says whether the stack's reranker,
        if it has one, puts the first 20 in its own order.
        """
        asked = {**locals()}  # the arguments, which are new_recall's
        vector_given = encoded_vector(asked.pop("vector"), asked.pop("self").swarm.dimension)
        request = new_recall(**asked, vector=vector_given)
        return Recall(self.swarm.namespace_id, request)

    @verb
    def intend(
        self,
        intent: str,
        *,
        tool: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        k: int = 1,
        repeat: bool = False,
    ) -> Intend:
        """Say what is about to be done; returns the nudges, best first, mostly none.

        What was shown to this agent a short while ago is not shown again unless it bears strongly
        on another action; `repeat=True` shows it again, for who asks each time whether to go on.
        """
        checked = new_intent(intent, tool=tool, arguments=arguments)
        return Intend(self._owner, checked, check_nudge_count(k), repeat, uuid7())

    @verb
    def feedback(self, nudge: UUID | str, verdict: Verdict | str) -> Feedback:
        """Say what a nudge was worth: "useful", "not_useful" or "acted_on"; returns a Receipt.

        `nudge` is its id, or that of the memory which is its evidence; later nudges weigh that
        memory by what agents said. An agent's last word on a nudge counts, once: `new` is False
        when there was an earlier one. Raises InvalidInput, and NotFound where nothing has the id.
        """
        return Feedback(self._owner, check_id("nudge", nudge), verdict_named(verdict))

    @verb
    def grade(
        self,
        query: str,
        memory_ids: Iterable[UUID | str],
        *,
        answer: str | None = None,
    ) -> Grade:
        """Grade what a recall brought, and what was answered from it; returns a RetrievalGrade.

        As a whole it is correct (use it), ambiguous (keep the relevant memories, and recall again
        with the uncovered words) or incorrect (look elsewhere). What each memory was worth is kept
        as feedback on it, once for this agent and question. Memories that are gone are named as
        missing. Raises InvalidInput (at most 200 memories, 8 KiB of answer), Overloaded.
        """
        return asked(Grade, self._owner, query=query, memory_ids=memory_ids, answer=answer)

    @verb
    def note(
        self,
        key: str,
        value: Any,
        *,
        ttl_s: float | None = None,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Note:
        """Write one working item; returns a Receipt with its version.

        `expected_version` makes it a compare-and-set: 0 means that the key must be new. Raises
        VersionConflict when another version is there.
        """
        check_ttl(ttl_s)
        return new_note(
            self._owner,
            check_item_key(key),
            check_json("value", value),
            ttl_s=ttl_s,
            expected_version=checked_version(expected_version),
            ack=ack_level(ack),
            idempotency_key=idempotency_key,
        )

    @verb
    def recollect(self, key: str | None = None) -> Recollect:
        """Read the working item of this key, or all of them; returns a tuple of WorkingItem."""
        return Recollect(self._owner, None if key is None else check_name("key", key))

    @watching
    def watch(
        self,
        *,
        after: int = 0,
        kinds: Iterable[EntryKind | str] = (),
        authors: Iterable[str] = (),
        prefix: str | None = None,
        limit: int = 100,
        wait_s: float = MAX_WAIT_S,
    ) -> Watch:
        """Watch the agent: its scratchpad's entries, and the nudges that others' failures cause.

        `async for entry in agent.watch(kinds=["nudge"])` hears of failures that bear on what the
        agent last intended. The arguments are those of a board's `watch`.
        """
        return watch_operation(self._owner, after, kinds, authors, prefix, limit, wait_s)

    @verb
    def dedicate(self, dedicated: bool = True) -> Dedicate:
        """Give this agent a host of its own; False brings it back to the common ones.

        For the rare agent that would be a burden to its neighbours: a process costs 50 MB. Over Ray
        only; raises InvalidInput elsewhere.
        """
        return Dedicate(self._owner, dedicated)

    @verb
    def context(
        self,
        budget_tokens: int = DEFAULT_BUDGET_TOKENS,
        *,
        board: str | None = None,
        query: str | None = None,
    ) -> ReadContext:
        """Render what the agent needs for its next step within a token budget; returns a Context.

        Its intent and the nudges that bear on it, working memory, what is open on its `board`, and
        what is recalled for `query`, or else for the intent: whole lines, newest or best first.
        Each section has a share of the budget, and hands on what it does not use. The nudges do not
        count as shown. Raises InvalidInput, Overloaded, Unavailable.
        """
        return ReadContext(
            self._owner,
            checked_budget(budget_tokens),
            None if board is None else check_name("board", board),
            None if query is None else check_text("query", query, limit=MAX_QUERY_BYTES),
        )
