"""What a team does on a board, over each wire and in the twin."""

from pinak_ray import Swarm


async def test_a_note_reaches_all_or_the_one_it_is_for(swarm: Swarm) -> None:
    """A broadcast is read by everyone, an addressed note by its addressee alone, newest first."""
    board = swarm.board("incident")
    await board.tell("looked at orders", author="ann", recommendation="check locks")
    await board.tell("take the replica", author="ann", to="bob")

    for_bob = await board.notes(reader="bob")
    assert [note.content for note in for_bob.notes] == ["take the replica", "looked at orders"]
    assert for_bob.notes[1].recommendation == "check locks"
    for_eve = await board.notes(reader="eve")
    assert [note.content for note in for_eve.notes] == ["looked at orders"]


async def test_a_command_with_the_same_key_is_done_once(swarm: Swarm) -> None:
    """The repeated command is answered with the first one's entry, and says that it is not new."""
    board = swarm.board("incident")
    first = await board.tell("once", author="ann", idempotency_key="tell-1")
    again = await board.tell("once", author="ann", idempotency_key="tell-1")

    assert first.new
    assert not again.new
    assert first.id == again.id
    assert len((await board.notes()).notes) == 1
