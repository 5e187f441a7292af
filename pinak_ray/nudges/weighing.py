"""What evidence is worth to an intent: which nudges it makes, how strong, and best first."""

import re
from collections.abc import Sequence

from pinak_ray.language.shown import QUOTED, shown
from pinak_ray.nudges.contradictions import contradicted
from pinak_ray.nudges.cooldown import is_quiet
from pinak_ray.nudges.evidence import Evidence, each_content
from pinak_ray.nudges.failures import FLOOR, warnings
from pinak_ray.nudges.gate import harmless_start
from pinak_ray.records.memory.nudges import Intent, Nudge, NudgeKind, Strength, nudge_id
from pinak_ray.records.operations import Intend

__all__ = ["asserts", "strength_of", "weigh"]

# Evidence scores run from 0.45 (the floor) to 1.4. From 0.70 on the failure is about the same thing
# (26 of 28 were right); below 0.55 it is about the same kind of thing (5 of 7).
_HIGH = 0.70
_MEDIUM = 0.55
_WORD = re.compile(r"[a-z]+")


def asserts(intent: Intent) -> bool:
    """Return whether an intent can contradict a fact: reading and asking cannot."""
    return not harmless_start(_WORD.findall(intent.text.lower()))


def weigh(
    intend: Intend, evidence: Sequence[Evidence], *, safe_similarity: float, floor: float = FLOOR
) -> tuple[Nudge, ...]:
    """Return at most `k` nudges for an intent, best first; so is the evidence given."""
    intent = intend.intent
    evidence = each_content(evidence)
    failures = [each for each in evidence if each.is_failure]
    warned = warnings(
        intent.search_text, failures, safe_similarity=safe_similarity, k=intend.k, floor=floor
    )
    nudges = [
        _nudge(intend, NudgeKind.FAILURE, failure, "This failed before", reason)
        for failure, reason in warned
    ]
    facts = [each for each in evidence if not each.is_failure] if asserts(intent) else []
    for fact, differs in contradicted(intent.statement, facts):
        says = f"This contradicts what is known ({differs})"
        reason = f"{differs}; {fact.reason}"
        nudges.append(_nudge(intend, NudgeKind.CONTRADICTION, fact, says, reason))
    by_id = {each.row["id"]: each for each in evidence}
    loud = [each for each in nudges if not _is_quiet(intend, each, by_id[each.evidence[0].id])]
    return tuple(sorted(loud, key=lambda nudge: -nudge.score)[: intend.k])


def _is_quiet(intend: Intend, nudge: Nudge, evidence: Evidence) -> bool:
    """Tell whether a nudge is left out: it, or one that says the same, was lately shown."""
    owner, shown = intend.owner, evidence.shown
    same = (nudge_id(owner.namespace_id, owner.name, id_, intend.intent) for id_ in evidence.copies)
    return any(is_quiet(each, nudge.strength, shown) for each in (nudge.id, *same))


def strength_of(score: float) -> Strength:
    """Return how strongly evidence of this score bears on the intent."""
    if score >= _HIGH:
        return Strength.HIGH
    return Strength.MEDIUM if score >= _MEDIUM else Strength.LOW


def _nudge(intend: Intend, kind: NudgeKind, evidence: Evidence, says: str, reason: str) -> Nudge:
    hit, owner = evidence.hit(), intend.owner
    return Nudge(
        kind,
        strength_of(evidence.score),
        f"{shown(says)}: {shown(hit.content, QUOTED)}",
        shown(reason),
        evidence.score,
        (hit,),
        nudge_id(owner.namespace_id, owner.name, hit.id, intend.intent),
    )
