"""Rounds of kill -9 under load: nothing acknowledged is lost, doubled or out of order.

    python -m benchmarks.chaos --rounds 100 --json

Each round, 32 agents write over Ray and over HTTP, one victim is killed, and every acknowledged
write is looked up in PostgreSQL; at the end all rounds are looked up once more. Recovery is the
time from the kill until every agent that uses the victim has done what it began afterwards. Exits
with 1 when anything was lost, duplicated or reordered, or did not come back. Linux only.
"""

import argparse
import asyncio
import random
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import cycle
from typing import Any

from benchmarks.chaos.rounds import Ground, Round
from benchmarks.chaos.verdict import Verdict
from benchmarks.chaos.victims import RARE, VICTIMS
from benchmarks.report import fresh_stack, machine, parser, print_report, progress
from pinak_ray.records.errors import PinakError

_RARE_EVERY = 10


def deal(victims: Sequence[str], rounds: int) -> list[str]:
    """Return each round's victim: shuffled, all equally often, a rare one every tenth round."""
    rare = [name for name in victims if name in RARE]
    common = [name for name in victims if name not in RARE] or rare
    order: list[str] = []
    while len(order) < rounds:
        order += random.sample(common, len(common))
    if rare:
        places = range(_RARE_EVERY - 1, rounds, _RARE_EVERY)
        for place, name in zip(places, cycle(rare), strict=False):
            order[place] = name
    return order[:rounds]


async def play(ground: Ground, victims: Sequence[str]) -> tuple[list[Round], list[str]]:
    """Play the rounds, as long as the stack becomes whole again; return them, and all troubles."""
    played: list[Round] = []
    troubles: list[str] = []
    for number, victim in enumerate(victims, start=1):
        try:
            played.append(await ground.play(number, victim))
        except (PinakError, TimeoutError) as error:
            troubles.append(f"the last round was {number}, {victim}: {error!r}")
            break
        progress(f"round {number}/{len(victims)}: {_line(played[-1])}")
        if played[-1].trouble is not None:
            troubles.append(f"round {number}, {played[-1].trouble}")
    return played, troubles


def _line(one: Round) -> str:
    back = one.trouble or f"{one.victim} back in {one.recovery_s:.2f} s"
    verdict, refused = one.verdict, one.ledger.refusals
    counts = f"{verdict.acknowledged:,} acknowledged, {verdict.lost} lost, "
    counts += f"{verdict.duplicated} duplicated, {verdict.reordered} reordered"
    return f"{back}; {counts}" + (f"; unacknowledged {dict(refused)}" if refused else "")


def report(rounds: Sequence[Round], last: Verdict, troubles: Sequence[str]) -> dict[str, Any]:
    """Return the figures; a fault that any look-up saw counts, though a later one did not."""
    first = Verdict.total(each.verdict for each in rounds)
    lost, duplicated, reordered = (max(pair) for pair in zip(first[1:], last[1:], strict=True))
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for each in rounds:
        if each.recovery_s is not None:
            seconds[each.victim].append(each.recovery_s)
    refusals = sum((each.ledger.refusals for each in rounds), Counter[str]())
    return {
        "name": "chaos",
        "unit": "acknowledged writes lost, duplicated or reordered",
        "ours": lost + duplicated + reordered,
        "reference": 0,
        "reference_is": "the guarantees: none",
        "rounds": len(rounds),
        "acknowledged": first.acknowledged,
        "found": first.acknowledged - lost,
        "lost": lost,
        "duplicated": duplicated,
        "reordered": reordered,
        "unseen": sum(each.unseen for each in rounds),
        "unacknowledged": dict(refusals),
        "troubles": troubles,
        "recovery_s": {
            name: {
                "p50": round(statistics.median(values), 2),
                "max": round(max(values), 2),
                "rounds": len(values),
                "goal": VICTIMS[name].goal_s,
            }
            for name, values in sorted(seconds.items())
        },
    }


def _options() -> argparse.Namespace:
    options = parser("chaos", __doc__ or "")
    options.set_defaults(rounds=20)
    options.add_argument(
        "--victims", default=",".join(VICTIMS), help="names, comma-separated; default all"
    )
    options.add_argument("--seed", type=int, help="deal the same victims again")
    given = options.parse_args()
    given.victims = given.victims.split(",")
    if unknown := set(given.victims) - set(VICTIMS):
        options.error(f"unknown victims {sorted(unknown)}; choose from {', '.join(VICTIMS)}")
    return given


def main() -> None:
    """Play and print."""
    given, where = _options(), machine()
    random.seed(given.seed)
    with fresh_stack() as settings:
        ground = Ground.survey(settings)

        async def all_rounds() -> dict[str, Any]:
            rounds, troubles = await play(ground, deal(given.victims, given.rounds))
            return report(rounds, await ground.judge_again(rounds), troubles)

        figures = asyncio.run(all_rounds())
    print_report({**figures, "machine": where})
    sys.exit(1 if figures["ours"] or figures["unseen"] or figures["troubles"] else 0)


if __name__ == "__main__":
    main()
