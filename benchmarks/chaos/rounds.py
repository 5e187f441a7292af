"""One round: load, strike, recovery, verdict, and a whole stack again."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import ray
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

import pinak_ray
from benchmarks.chaos.evidence import from_rows, from_verbs, service
from benchmarks.chaos.ledger import Kind, Ledger
from benchmarks.chaos.load import Load
from benchmarks.chaos.verdict import Held, Verdict, judge
from benchmarks.chaos.victims import VICTIMS, census
from pinak_ray.client.discovery import StackFile
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import health
from pinak_ray.cluster.tokens import mint
from pinak_ray.records.errors import PinakError, Unavailable
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security.scopes import Scope

__all__ = ["Ground", "Round"]

_TENANT = "chaos"
_START_TIMEOUT_S = 60.0
_RECOVERY_TIMEOUT_S = 90.0
_WHOLE_TIMEOUT_S = 90.0
# The strike hits another moment of a batch's life each time, and the load goes on for a while.
_BEFORE_S = 0.7
_AFTER_S = 0.7

_patiently = retry(
    stop=stop_after_delay(_WHOLE_TIMEOUT_S),
    wait=wait_fixed(0.2),
    retry=retry_if_exception_type((PinakError, ray.exceptions.RayError, ValueError)),
    reraise=True,
)


@dataclass(frozen=True, slots=True)
class Round:
    """One victim and what its end did."""

    victim: str
    recovery_s: float | None
    trouble: str | None
    """Why there is no recovery time: it could not be struck, or did not come back in time."""
    ledger: Ledger
    verdict: Verdict
    unseen: int
    """Agents and boards whose verbs show something else than their rows."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The stack that the rounds are played on, and its parts when it was whole."""

    settings: Settings
    parts: Counter[str]

    @classmethod
    def survey(cls, settings: Settings) -> "Ground":
        """Count the parts of a stack that nobody has struck yet."""
        return cls(settings, census(settings))

    async def play(self, number: int, victim: str) -> Round:
        """Play one round in a namespace of its own; raises Unavailable if a part stays away."""
        over_ray, over_http = await asyncio.to_thread(self._join, f"round-{number}")
        load = Load(over_ray, over_http, Ledger(over_ray.namespace_id))
        load.start()
        recovery_s, trouble = None, None
        try:
            recovery_s = await self._strike(load, victim)
        except (PinakError, TimeoutError) as error:
            trouble = f"{victim}: {error!r}"
        await load.stop()
        await asyncio.to_thread(_await_whole, self)
        async with service(self._dsn) as connection:
            rows = await from_rows(connection, load.ledger)
        unseen = _differing(rows, await from_verbs(over_ray, load.ledger))
        await over_http.aclose()
        return Round(victim, recovery_s, trouble, load.ledger, judge(load.ledger, rows), unseen)

    async def judge_again(self, rounds: list[Round]) -> Verdict:
        """Return the verdict on all rounds, as the rows stand now."""
        async with service(self._dsn) as connection:
            return Verdict.total(
                [judge(each.ledger, await from_rows(connection, each.ledger)) for each in rounds]
            )

    @property
    def _dsn(self) -> str:
        return EmbeddedPostgres(self.settings.home / "postgres").dsn

    @_patiently
    def _join(self, project: str) -> tuple[pinak_ray.Swarm, pinak_ray.Swarm]:
        home, key = self.settings.home, NamespaceKey(_TENANT, project)
        over_ray = pinak_ray.connect(home=home, tenant=key.tenant, project=key.project)
        token = mint(
            self.settings,
            "chaos",
            namespace=key,
            scopes=(Scope.READ, Scope.WRITE, Scope.AGENTS),
            lifetime=timedelta(hours=1),
        )
        return over_ray, pinak_ray.connect(url=StackFile.read(home).url, token=token)

    async def _strike(self, load: Load, name: str) -> float:
        victim = VICTIMS[name]
        lanes = load.lanes(victim.kinds, victim.wires)
        # All that is quick has begun; `searchable` may queue behind the other memories.
        at_work = lanes | load.lanes(set(Kind) - {Kind.SEARCHABLE})
        await load.recovered(at_work, time.monotonic(), _START_TIMEOUT_S)
        await asyncio.sleep(random.uniform(0, _BEFORE_S))
        since = await asyncio.to_thread(victim.strike, self.settings)
        recovery_s = await load.recovered(lanes, since, _RECOVERY_TIMEOUT_S)
        await asyncio.sleep(_AFTER_S)
        return recovery_s


@_patiently
def _await_whole(ground: Ground) -> None:
    """Return when every process is there again and every part answers; raises Unavailable."""
    if missing := ground.parts - census(ground.settings):
        raise Unavailable(f"processes are missing: {dict(missing)}")
    answers = health(ground.settings)
    if silent := {part: said["error"] for part, said in answers.items() if "error" in said}:
        raise Unavailable(f"parts do not answer: {silent}")


def _differing(rows: Held, shown: Held) -> int:
    return sum(
        list(rows.get(lane, ())) != list(shown.get(lane, ()))
        for lane in rows.keys() | shown.keys()
        if lane.kind in (Kind.NOTE, Kind.SCRATCHPAD, Kind.BOARD)
    )
