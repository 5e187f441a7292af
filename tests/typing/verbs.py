"""What each verb takes and gives: mypy checks this file, and nothing runs it."""

from typing import assert_type
from uuid import UUID

from pinak_ray import AgentHandle, BoardHandle, ScratchpadHandle, Swarm, connect
from pinak_ray.types import (
    ActionsAnswer,
    ClaimsAnswer,
    Context,
    Convergence,
    Distilled,
    EntitiesAnswer,
    EntityAnswer,
    EntityContextAnswer,
    Entry,
    FoundExampleAnswer,
    FoundMemories,
    MarkdownAnswer,
    NextStepAnswer,
    NotesAnswer,
    Nudge,
    OpenPointsAnswer,
    ProgressAnswer,
    Promotion,
    PrunedAnswer,
    QualityAnswer,
    RecallResult,
    Receipt,
    Related,
    RetrievalGrade,
    ScratchpadQuestionsAnswer,
    SimilarQuestionAnswer,
    SubjectClaim,
    SuspectedAnswer,
    TakenAction,
    TaskClaim,
    TaskMarkdownAnswer,
    TasksAnswer,
    Templates,
    ThoughtsAnswer,
    TimelineAnswer,
    ToldOutcome,
    Verification,
    Watcher,
    WorkingItem,
)

ID = UUID(int=1)


async def verbs_of_an_agent(agent: AgentHandle) -> None:
    """Each verb of an agent, with what it must be given, and what comes of it."""
    assert_type(await agent.remember("content"), Receipt)
    assert_type(await agent.revise(ID, "content"), Receipt)
    assert_type(await agent.forget(ID), Receipt)
    assert_type(await agent.get([ID]), FoundMemories)
    assert_type(await agent.recall(), RecallResult)
    assert_type(await agent.link(ID, ID), Receipt)
    assert_type(await agent.unlink(ID, ID), Receipt)
    assert_type(await agent.related(ID), tuple[Related, ...])
    assert_type(await agent.intend("intent"), tuple[Nudge, ...])
    assert_type(await agent.feedback(ID, "useful"), Receipt)
    assert_type(await agent.grade("query", [ID]), RetrievalGrade)
    assert_type(await agent.note("key", "value"), Receipt)
    assert_type(await agent.recollect(), tuple[WorkingItem, ...])
    assert_type(agent.watch(), Watcher)
    assert_type(await anext(agent.watch()), Entry)
    assert_type(await agent.dedicate(), None)
    assert_type(await agent.context(), Context)
    assert_type(await agent.templates("problem"), Templates)
    assert_type(await agent.template_used(ID, True, run="run"), ToldOutcome)


async def verbs_of_a_board(board: BoardHandle) -> None:
    """Each verb of a board, with what it must be given, and what comes of it."""
    assert_type(await board.post("content", author="author"), Receipt)
    assert_type(await board.tell("content", author="author"), Receipt)
    assert_type(await board.notes(), NotesAnswer)
    assert_type(await board.open_points(reader="reader"), OpenPointsAnswer)
    assert_type(await board.read(), tuple[Entry, ...])
    assert_type(board.watch(), Watcher)
    assert_type(await anext(board.watch()), Entry)
    assert_type(await board.add_task("title", author="author"), Receipt)
    assert_type(await board.claim(author="author"), TaskClaim)
    assert_type(await board.heartbeat(ID, author="author"), TaskClaim)
    assert_type(await board.finish(ID, author="author"), Receipt)
    assert_type(await board.release(ID, author="author"), Receipt)
    assert_type(await board.retry(ID, author="author"), Receipt)
    assert_type(await board.tasks(), TasksAnswer)
    assert_type(await board.task_markdown(), TaskMarkdownAnswer)
    assert_type(await board.claim_once("subject", author="author"), SubjectClaim)
    assert_type(await board.done("subject", author="author"), Receipt)
    assert_type(await board.claims(), ClaimsAnswer)
    assert_type(await board.ask("text", author="author"), Receipt)
    assert_type(await board.search(ID, author="author"), Receipt)
    assert_type(await board.partial(ID, author="author"), Receipt)
    assert_type(await board.answer(ID, "text", author="author"), Receipt)
    assert_type(await board.contradict(ID, ID, "description", author="author"), Receipt)
    assert_type(await board.resolve(ID, "how", author="author"), Receipt)
    assert_type(await board.suspected(), SuspectedAnswer)
    assert_type(await board.push_action("type", author="author"), Receipt)
    assert_type(await board.take_action(author="author"), TakenAction)
    assert_type(await board.finish_action(ID, "outcome", author="author"), Receipt)
    assert_type(await board.actions(), ActionsAnswer)
    assert_type(await board.similar_question("text"), SimilarQuestionAnswer)
    assert_type(await board.progress(), ProgressAnswer)
    assert_type(await board.next_step(), NextStepAnswer)
    assert_type(await board.markdown(), MarkdownAnswer)
    assert_type(await board.promote(author="author"), Promotion)


async def verbs_of_a_scratchpad(pad: ScratchpadHandle) -> None:
    """Each verb of a scratchpad, with what it must be given, and what comes of it."""
    assert_type(await pad.post("content"), Receipt)
    assert_type(await pad.read(), tuple[Entry, ...])
    assert_type(await pad.quality(), QualityAnswer)
    assert_type(await pad.observe("content"), Receipt)
    assert_type(await pad.reason("content"), Receipt)
    assert_type(await pad.example("type", "input", "output"), Receipt)
    assert_type(await pad.find_example("type", "input"), FoundExampleAnswer)
    assert_type(await pad.act("action"), Receipt)
    assert_type(await pad.ask("content"), Receipt)
    assert_type(await pad.answer(ID, "content"), Receipt)
    assert_type(await pad.questions(), ScratchpadQuestionsAnswer)
    assert_type(await pad.think("content"), Receipt)
    assert_type(await pad.prune_thoughts(0.5), PrunedAnswer)
    assert_type(await pad.thoughts(), ThoughtsAnswer)
    assert_type(await pad.verify_reasoning(), Verification)
    assert_type(await pad.convergent_answer(), Convergence)
    assert_type(await pad.mention("name"), Receipt)
    assert_type(await pad.relate("subject", "verb", "object"), Receipt)
    assert_type(await pad.split_entity("name", names=["a"]), Receipt)
    assert_type(await pad.entities(), EntitiesAnswer)
    assert_type(await pad.entity("name"), EntityAnswer)
    assert_type(await pad.timeline("name"), TimelineAnswer)
    assert_type(await pad.entity_context("query"), EntityContextAnswer)
    assert_type(await pad.promote(), Promotion)
    assert_type(await pad.distill("problem"), Distilled)


async def handles_of_a_swarm() -> None:
    """What connect gives, and what that gives."""
    swarm = connect(url="http://127.0.0.1:8801", token="t")
    assert_type(swarm, Swarm)
    assert_type(swarm.agent("a"), AgentHandle)
    assert_type(swarm.agent("a").scratchpad, ScratchpadHandle)
    assert_type(swarm.board("b"), BoardHandle)
    assert_type(await swarm.aclose(), None)
