"""Every type that a verb takes or gives: `from pinak_ray.types import Layer, Receipt`."""

from pinak_ray.client.elaboration import Elaborated, Move, Thinker
from pinak_ray.client.handles.board.handle import FindingFields
from pinak_ray.client.watch import Watcher
from pinak_ray.records.board.actions import ActionsAnswer, BoardAction, TakenAction
from pinak_ray.records.board.claims import BoardClaim, ClaimsAnswer, SubjectClaim
from pinak_ray.records.board.contradictions import BoardContradiction
from pinak_ray.records.board.findings import FindingType
from pinak_ray.records.board.notes import BoardNote, NotesAnswer
from pinak_ray.records.board.open_points import OpenPoint, OpenPointsAnswer
from pinak_ray.records.board.progress import MarkdownAnswer, NextStepAnswer, ProgressAnswer, Step
from pinak_ray.records.board.questions import BoardQuestion, QuestionStatus, SimilarQuestionAnswer
from pinak_ray.records.board.suspicions import SuspectedAnswer, Suspicion
from pinak_ray.records.board.tasks import (
    BoardTask,
    TaskAttempt,
    TaskClaim,
    TaskLease,
    TaskMarkdownAnswer,
    TasksAnswer,
    TaskStatus,
)
from pinak_ray.records.memory.context import Context, ContextSection
from pinak_ray.records.memory.grades import (
    AnswerGrade,
    Conflict,
    Contradicted,
    GradeAction,
    GradedMemory,
    Quality,
    RetrievalGrade,
    Support,
)
from pinak_ray.records.memory.links import Link, LinkKind, Related
from pinak_ray.records.memory.memories import Ack, Layer, Outcome, Receipt
from pinak_ray.records.memory.nudges import Nudge, NudgeKind, Strength, Verdict
from pinak_ray.records.memory.promotion import Held, Promoted, Promotion, Skipped
from pinak_ray.records.memory.recall import Hit, RecallResult, Signal, Trace
from pinak_ray.records.memory.revisions import FoundMemories, StoredMemory
from pinak_ray.records.memory.templates import Distilled, Template, Templates, ToldOutcome
from pinak_ray.records.operations import WatchPage
from pinak_ray.records.scratchpad.entities import (
    EntitiesAnswer,
    EntityAnswer,
    EntityContextAnswer,
    Event,
    Relation,
    TimelineAnswer,
)
from pinak_ray.records.scratchpad.parts import (
    FoundExample,
    FoundExampleAnswer,
    ScratchpadQuestion,
    ScratchpadQuestionsAnswer,
    ScratchpadQuestionStatus,
    StepType,
    Uncertainty,
)
from pinak_ray.records.scratchpad.quality import QualityAnswer
from pinak_ray.records.scratchpad.thoughts import (
    CheckedThought,
    Convergence,
    Edge,
    EdgeKind,
    Flaw,
    FlawKind,
    PrunedAnswer,
    Rival,
    Thought,
    ThoughtsAnswer,
    ThoughtType,
    Verification,
)
from pinak_ray.records.state.owners import Entry, EntryKind, WorkingItem

__all__ = [
    "Ack",
    "ActionsAnswer",
    "AnswerGrade",
    "BoardAction",
    "BoardClaim",
    "BoardContradiction",
    "BoardNote",
    "BoardQuestion",
    "BoardTask",
    "CheckedThought",
    "ClaimsAnswer",
    "Conflict",
    "Context",
    "ContextSection",
    "Contradicted",
    "Convergence",
    "Distilled",
    "Edge",
    "EdgeKind",
    "Elaborated",
    "EntitiesAnswer",
    "EntityAnswer",
    "EntityContextAnswer",
    "Entry",
    "EntryKind",
    "Event",
    "FindingFields",
    "FindingType",
    "Flaw",
    "FlawKind",
    "FoundExample",
    "FoundExampleAnswer",
    "FoundMemories",
    "GradeAction",
    "GradedMemory",
    "Held",
    "Hit",
    "Layer",
    "Link",
    "LinkKind",
    "MarkdownAnswer",
    "Move",
    "NextStepAnswer",
    "NotesAnswer",
    "Nudge",
    "NudgeKind",
    "OpenPoint",
    "OpenPointsAnswer",
    "Outcome",
    "ProgressAnswer",
    "Promoted",
    "Promotion",
    "PrunedAnswer",
    "Quality",
    "QualityAnswer",
    "QuestionStatus",
    "RecallResult",
    "Receipt",
    "Related",
    "Relation",
    "RetrievalGrade",
    "Rival",
    "ScratchpadQuestion",
    "ScratchpadQuestionStatus",
    "ScratchpadQuestionsAnswer",
    "Signal",
    "SimilarQuestionAnswer",
    "Skipped",
    "Step",
    "StepType",
    "StoredMemory",
    "Strength",
    "SubjectClaim",
    "Support",
    "SuspectedAnswer",
    "Suspicion",
    "TakenAction",
    "TaskAttempt",
    "TaskClaim",
    "TaskLease",
    "TaskMarkdownAnswer",
    "TaskStatus",
    "TasksAnswer",
    "Template",
    "Templates",
    "Thinker",
    "Thought",
    "ThoughtType",
    "ThoughtsAnswer",
    "TimelineAnswer",
    "ToldOutcome",
    "Trace",
    "Uncertainty",
    "Verdict",
    "Verification",
    "WatchPage",
    "Watcher",
    "WorkingItem",
]
