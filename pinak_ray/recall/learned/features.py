"""Features: what a recall has anyway of each candidate, as one row of numbers each.

Numbers compare within one question alone: z-scores, shares and what is so or not, so that neither
another embedding model nor another size of the namespace shifts them. Every one depends on the set
of the candidates and never on their order.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from pinak_ray.language.named_agents import named_agent
from pinak_ray.language.named_dates import named_dates
from pinak_ray.language.roles import is_asking, is_role, only_asks
from pinak_ray.recall.fusion import Scores, known_or, zscores
from pinak_ray.recall.learned.cues import cues_of, wanted_by
from pinak_ray.records.memory.asker import local
from pinak_ray.records.memory.rows import Row

__all__ = ["FEATURES", "Matrix", "features_of"]

Matrix = npt.NDArray[np.float64]

# Longer is better up to here: shorter entries only say yes, or thank.
_BEND = 40

FEATURES = (
    "dense", "lexical", "window_dense", "window_lexical",
    "lexical_share", "window_lexical_share",
    "session_best", "session_mean",
    "agent", "other_agent", "date", "question",
    "length", "excess", "names", "time", "number", "name",
    "user", "assistant", "assistant_excess",
)  # fmt: skip


def features_of(
    rows: Sequence[Row], signals: Mapping[str, Scores], query: str, now: datetime
) -> Matrix:
    """Return one row of `FEATURES` a candidate, shape (n, len(FEATURES))."""
    z = {name: zscores(_known(name, scores)) for name, scores in signals.items()}
    fused = np.add.reduce([z[name] for name in sorted(z)]) / len(z)
    columns: dict[str, Scores] = {**z}
    for name in ("lexical", "window_lexical"):
        columns[f"{name}_share"] = _share(signals[name])
    columns["session_best"], columns["session_mean"] = _by_session(rows, fused)
    columns |= _said(rows, query, now)
    return np.stack([columns[name] for name in FEATURES], axis=1)


def _known(name: str, scores: Scores) -> Scores:
    # A word that does not occur is a known 0; a vector that is not there yet is unknown.
    return known_or(scores, 0.0) if name.endswith("lexical") else scores


def _share(scores: Scores) -> Scores:
    known = known_or(scores, 0.0)
    best = known.max(initial=0.0)
    return known / best if best > 0 else known


def _by_session(rows: Sequence[Row], fused: Scores) -> tuple[Scores, Scores]:
    """Return the best and the mean fused score of each candidate's session; own without one."""
    best, mean = fused.copy(), fused.copy()
    places: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        if row["session"] is not None:
            places.setdefault(row["session"], []).append(at)
    for there in places.values():
        scores = np.sort(fused[there])  # a sum rounds by the order of its parts
        best[there], mean[there] = scores[-1], scores.sum() / len(scores)
    return best, mean


def _said(rows: Sequence[Row], query: str, now: datetime) -> dict[str, Scores]:
    agents = [row["agent"] for row in rows]
    named = named_agent(query, agents)
    dates, wanted = named_dates(query, now), wanted_by(query)
    roles = {agent: (is_asking(agent), is_role(agent)) for agent in set(agents)}
    held = []
    for row, agent in zip(rows, agents, strict=True):
        content = row["content"]
        asking, role = roles[agent]
        words, names, time, number = cues_of(content)
        held.append(
            (
                agent == named,
                named is not None and agent != named,
                dates is not None and dates.matches(local(row["occurred_at"], now.tzinfo)),
                only_asks(agent, content),
                words,
                names,
                wanted.time and time,
                wanted.number and number,
                wanted.name and names > 0,
                asking,
                role and not asking,
            )
        )
    table = np.array(held, dtype=np.float64).reshape(len(rows), 11).T
    words, names = table[4], table[5]
    excess = np.log(np.maximum(words, _BEND) / _BEND)
    return {
        "agent": table[0],
        "other_agent": table[1],
        "date": table[2],
        "question": table[3],
        "length": np.log(np.minimum(words, _BEND)),
        "excess": excess,
        "names": np.log1p(names),
        "time": table[6],
        "number": table[7],
        "name": table[8],
        "user": table[9],
        "assistant": table[10],
        "assistant_excess": table[10] * excess,
    }
