"""The rules of boards: one file an idea, each a pure function over the board's entries."""

from collections.abc import Mapping
from typing import Any

from pinak_ray.agents.board.notes import show_notes, tell
from pinak_ray.agents.board.tasks.claims import claim_once, done, show_claims
from pinak_ray.agents.board.tasks.leases import claim, finish, heartbeat, release
from pinak_ray.agents.board.tasks.markdown import show_markdown
from pinak_ray.agents.board.tasks.next_step import show_next_step
from pinak_ray.agents.board.tasks.progress import show_progress
from pinak_ray.agents.board.tasks.tasks import add_task, retry
from pinak_ray.agents.board.tasks.views import show_task_markdown, show_tasks
from pinak_ray.agents.board.thinking.actions import (
    finish_action,
    push_action,
    show_actions,
    take_action,
)
from pinak_ray.agents.board.thinking.contradictions import contradict, resolve
from pinak_ray.agents.board.thinking.findings import post_finding
from pinak_ray.agents.board.thinking.open_points import show_open_points
from pinak_ray.agents.board.thinking.questions import (
    answer,
    ask,
    partly_answer,
    search,
    show_similar_question,
)
from pinak_ray.agents.log.decisions import Rule, Showing
from pinak_ray.records.board.actions import Actions, FinishAction, PushAction, TakeAction
from pinak_ray.records.board.claims import ClaimOnce, Claims, Done
from pinak_ray.records.board.contradictions import Contradict, Resolve
from pinak_ray.records.board.findings import PostFinding
from pinak_ray.records.board.notes import Notes, Tell
from pinak_ray.records.board.open_points import OpenPoints
from pinak_ray.records.board.progress import Markdown, NextStep, Progress
from pinak_ray.records.board.questions import (
    AnswerQuestion,
    Ask,
    PartlyAnswer,
    SearchQuestion,
    SimilarQuestion,
)
from pinak_ray.records.board.tasks import (
    AddTask,
    ClaimTask,
    Finish,
    Heartbeat,
    Release,
    Retry,
    TaskMarkdown,
    Tasks,
)
from pinak_ray.records.commands import Command, View

__all__ = ["BOARD_RULES", "BOARD_VIEWS"]

BOARD_RULES: Mapping[type[Command], Rule[Any]] = {
    Tell: tell,
    PostFinding: post_finding,
    Ask: ask,
    SearchQuestion: search,
    AnswerQuestion: answer,
    PartlyAnswer: partly_answer,
    Contradict: contradict,
    Resolve: resolve,
    PushAction: push_action,
    TakeAction: take_action,
    FinishAction: finish_action,
    AddTask: add_task,
    ClaimTask: claim,
    Heartbeat: heartbeat,
    Finish: finish,
    Release: release,
    Retry: retry,
    ClaimOnce: claim_once,
    Done: done,
}
BOARD_VIEWS: Mapping[type[View], Showing[Any]] = {
    Notes: show_notes,
    SimilarQuestion: show_similar_question,
    Actions: show_actions,
    Progress: show_progress,
    NextStep: show_next_step,
    Markdown: show_markdown,
    OpenPoints: show_open_points,
    Tasks: show_tasks,
    TaskMarkdown: show_task_markdown,
    Claims: show_claims,
}
