"""Thought templates: distil one from a trajectory that went well, and find those that fit."""

from collections.abc import Sequence
from uuid import UUID

from pinak_ray.composed.promotion import read_all
from pinak_ray.language.abstraction import Abstracted, Abstraction, abstracted, alike
from pinak_ray.recall.recipes import DENSE
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.ids import id_from_key
from pinak_ray.records.limits import MAX_READ
from pinak_ray.records.memory.memories import Layer, Memory, Outcome, new_memory
from pinak_ray.records.memory.promotion import FindPromoted, Sought
from pinak_ray.records.memory.recall import Hit, new_recall
from pinak_ray.records.memory.templates import (
    MAX_TEMPLATES,
    TEMPLATE_TAG,
    Distill,
    Distilled,
    FindTemplates,
    Outcomes,
    ReadOutcomes,
    TellOutcome,
    Template,
    Templates,
)
from pinak_ray.records.operations import Query, Recall, Remember
from pinak_ray.records.scratchpad.entities import Entities, EntitiesAnswer
from pinak_ray.records.scratchpad.quality import Quality
from pinak_ray.records.sending import Send
from pinak_ray.records.state.owners import Entry, EntryKind, Owner

__all__ = ["distill", "find_templates"]

# Success reorders what is similar, so more are looked at than are wanted.
_CANDIDATES = 5 * MAX_TEMPLATES
# Unrelated texts have a cosine of up to .1 with MiniLM, and share a word or two.
_LEAST_SIMILARITY = 0.2
# Of a memory's details; somebody may have tagged another memory like a template.
_PLAN = frozenset(Abstracted._fields)


async def distill(
    send: Send, operation: Distill, abstraction: Abstraction = abstracted
) -> Distilled:
    """Make a template of what succeeded in an agent's trajectory, once.

    It counts as a first run of the template, which succeeded. Raises InvalidInput where no step
    did, or where they are longer than a memory may be.
    """
    owner = operation.owner
    quality = operation.quality
    if quality is None:
        quality = float((await send(Query(owner, Quality()))).overall)
    if quality < operation.min_quality:
        return Distilled(template=None, quality=quality, slots={})
    trajectory = await read_all(send, owner, (EntryKind.TRAJECTORY,), operation.after)
    steps = [entry for entry in trajectory if _succeeded(entry)]
    if not steps:
        raise InvalidInput("no step of this trajectory succeeded: there is nothing to distil")
    plan = abstraction(
        operation.problem, [step.content for step in steps], await _names(send, owner)
    )
    memory = _memory(operation, plan, steps)
    template, new, merged = await _store(send, memory, plan)
    await send(TellOutcome(owner, template, True, f"distilled/{memory.id}"))
    return Distilled(
        template=template,
        new=new,
        merged=merged,
        quality=quality,
        problem=plan.problem,
        steps=plan.steps,
        slots=dict(plan.slots),
        left_out=len(trajectory) - len(steps),
    )


async def find_templates(send: Send, operation: FindTemplates) -> Templates:
    """Return the templates for a problem, by similarity times the chance that they work.

    Those that fail come last. One that nobody has used yet is taken to work half of the time.
    """
    namespace_id, problem, k = operation.namespace_id, operation.problem, operation.k
    problem = abstracted(problem, ()).problem
    hits = await _recalled(send, namespace_id, problem)
    outcomes = await send(ReadOutcomes(namespace_id, tuple(hit.id for hit in hits)))
    found = [_template(hit, problem, said) for hit, said in zip(hits, outcomes, strict=True)]
    best = sorted(
        (each for each in found if each.similarity >= _LEAST_SIMILARITY),
        key=lambda each: (each.failing, -each.score, each.id),
    )
    return Templates(templates=tuple(best[:k]))


async def _store(send: Send, memory: Memory, plan: Abstracted) -> tuple[UUID, bool, bool]:
    """Store a template unless it, or nearly the same, is there.

    Returns its id, whether it is new, and whether it is one that was nearly the same.
    """
    sought = (Sought(memory.id, ""),)
    (known,) = await send(FindPromoted(memory.namespace_id, sought))
    if known.current is not None:
        return known.current, False, False
    for hit in await _recalled(send, memory.namespace_id, plan.problem):
        if alike(plan, _plan(hit)):
            return hit.id, False, True
    return memory.id, (await send(Remember(memory))).new, False


async def _recalled(send: Send, namespace_id: int, problem: str) -> list[Hit]:
    request = new_recall(
        problem, k=_CANDIDATES, layers=[Layer.PROCEDURAL], tags=[TEMPLATE_TAG], trace=True
    )
    hits = (await send(Recall(namespace_id, request))).hits
    return [hit for hit in hits if hit.details.keys() >= _PLAN]


async def _names(send: Send, owner: Owner) -> list[str]:
    """Return what the entities of the task are called."""
    known: EntitiesAnswer = await send(Query(owner, Entities(limit=MAX_READ)))
    return [name for each in known.entities for name in (each.name, *each.aliases)]


def _succeeded(step: Entry) -> bool:
    details = step.details
    return details.get("success") is not False and details.get("outcome") != Outcome.FAILURE


def _memory(operation: Distill, plan: Abstracted, steps: Sequence[Entry]) -> Memory:
    owner = operation.owner
    ids = [str(step.id) for step in steps]
    numbered = (f"{place}. {step}" for place, step in enumerate(plan.steps, start=1))
    memory = new_memory(
        owner.namespace_id,
        owner.name,
        "\n".join((plan.problem, *numbered)),
        layer=Layer.PROCEDURAL,
        details={**plan._asdict(), "trajectory": ids},
        tags=(TEMPLATE_TAG,),
        outcome=Outcome.SUCCESS,
        source=f"{owner.space}/{owner.name}",
    )
    return memory._replace(
        id=id_from_key(owner.namespace_id, f"template/{owner.name}", "/".join(ids))
    )


def _plan(hit: Hit) -> Abstracted:
    details = hit.details
    steps = tuple(str(step) for step in details["steps"])
    slots = {slot: str(value) for slot, value in details["slots"].items()}
    return Abstracted(str(details["problem"]), steps, slots)


def _template(hit: Hit, problem: str, outcomes: Outcomes) -> Template:
    plan = _plan(hit)
    similarity = max(_cosine(hit), _words_shared(problem, plan.problem))
    return Template(
        id=hit.id,
        **outcomes.record(),
        problem=plan.problem,
        steps=plan.steps,
        slots=dict(plan.slots),
        similarity=similarity,
        score=similarity * outcomes.expected_rate,
    )


def _cosine(hit: Hit) -> float:
    """Return the cosine of problem and template, at least 0; 0 until the template is indexed."""
    known = (signal.score for signal in hit.signals if signal.name == DENSE)
    return min(1.0, max(0.0, *(score or 0.0 for score in known), 0.0))


def _words_shared(one: str, other: str) -> float:
    """Return the share of all their words that both have (Jaccard), from 0 to 1."""
    a, b = set(one.lower().split()), set(other.lower().split())
    return len(a & b) / len(a | b)
