"""The rules of scratchpads: one file an idea, each a pure function over one agent's entries."""

from collections.abc import Mapping
from typing import Any

from pinak_ray.agents.log.decisions import Rule, Showing
from pinak_ray.agents.scratchpad.entities import mention, relate, split_entity
from pinak_ray.agents.scratchpad.entity_views import (
    show_entities,
    show_entity,
    show_entity_context,
    show_timeline,
)
from pinak_ray.agents.scratchpad.parts import act, find_example, observe, reason, record_example
from pinak_ray.agents.scratchpad.quality import show_quality
from pinak_ray.agents.scratchpad.questions import answer_question, ask, show_questions
from pinak_ray.agents.scratchpad.thoughts import (
    prune_thoughts,
    show_convergence,
    show_thoughts,
    think,
)
from pinak_ray.agents.scratchpad.verification import show_verification
from pinak_ray.records.commands import Command, View
from pinak_ray.records.scratchpad.entities import (
    Entities,
    EntityContext,
    Mention,
    OneEntity,
    Relate,
    SplitEntity,
    Timeline,
)
from pinak_ray.records.scratchpad.parts import (
    Act,
    AnswerOnScratchpad,
    AskOnScratchpad,
    FindExample,
    Observe,
    Reason,
    RecordExample,
    ScratchpadQuestions,
)
from pinak_ray.records.scratchpad.quality import Quality
from pinak_ray.records.scratchpad.thoughts import (
    ConvergentAnswer,
    PruneThoughts,
    Think,
    Thoughts,
    VerifyReasoning,
)

__all__ = ["SCRATCHPAD_RULES", "SCRATCHPAD_VIEWS"]

SCRATCHPAD_RULES: Mapping[type[Command], Rule[Any]] = {
    Observe: observe,
    Reason: reason,
    RecordExample: record_example,
    FindExample: find_example,
    Act: act,
    AskOnScratchpad: ask,
    AnswerOnScratchpad: answer_question,
    Think: think,
    PruneThoughts: prune_thoughts,
    Mention: mention,
    Relate: relate,
    SplitEntity: split_entity,
}
SCRATCHPAD_VIEWS: Mapping[type[View], Showing[Any]] = {
    ScratchpadQuestions: show_questions,
    Quality: show_quality,
    Thoughts: show_thoughts,
    VerifyReasoning: show_verification,
    ConvergentAnswer: show_convergence,
    Entities: show_entities,
    OneEntity: show_entity,
    Timeline: show_timeline,
    EntityContext: show_entity_context,
}
