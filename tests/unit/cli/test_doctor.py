"""The doctor's judgements: pure functions of what was found."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from pinak_ray import __version__
from pinak_ray.cli.doctor.database import (
    Wall,
    judge_durability,
    judge_revision,
    judge_role,
    judge_segments,
    judge_server,
    judge_wall,
)
from pinak_ray.cli.doctor.listeners import Listener, judge_listeners, parse_listening
from pinak_ray.cli.doctor.machine import (
    check_machine,
    judge_disk,
    judge_mode,
    judge_model,
    judge_python,
    judge_ray,
)
from pinak_ray.cli.doctor.running import judge_gateway, judge_parts, judge_presence
from pinak_ray.cli.doctor.verdict import Check, State
from pinak_ray.client.discovery import StackFile
from pinak_ray.cluster.postgres.external import ServerReport
from pinak_ray.cluster.settings import Settings
from pinak_ray.store.vectors.segment_recall import SegmentRecall

GIB = 1 << 30
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
WHOLE = Wall(not_forced=(), role_bypasses=False, from_within=3)
STACK = StackFile("127.0.0.1:6379", "http://127.0.0.1:8642", __version__)

# As the kernel writes them: 127.0.0.1:53 and 0.0.0.0:8642 listen, the third row is established.
TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0
   1: 00000000:21C2 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0
   2: 0100007F:21C2 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx rx tr tm
   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0 0 0 0 0 21
   1: 0000000000000000FFFF00000100007F:0051 00000000000000000000000000000000:0000 0A 0 0 0 0 0 22
   2: 00000000000000000000000000000000:0052 00000000000000000000000000000000:0000 0A 0 0 0 0 0 23
"""


def listener(address: str, port: int, process: str = "raylet") -> Listener:
    """Return a listening socket of one of our processes."""
    return Listener(ip_address(address), port, 1, process)


@pytest.mark.parametrize(
    ("check", "state"),
    [
        (judge_python((3, 11)), State.OK),
        (judge_python((3, 10)), State.PROBLEM),
        (judge_ray("2.60.1"), State.OK),
        (judge_ray("2.61.0"), State.PROBLEM),
        (judge_disk(50 * GIB, "/data"), State.OK),
        (judge_disk(3 * GIB, "/data"), State.WARNING),
        (judge_disk(GIB // 2, "/data"), State.PROBLEM),
        (judge_mode("home", Path("/h"), 0o700), State.OK),
        (judge_mode("home", Path("/h"), 0o750), State.PROBLEM),
        (judge_mode("home", Path("/h"), 0o701), State.PROBLEM),
        (judge_model(Path("/m"), present=True), State.OK),
        (judge_model(Path("/m"), present=False), State.WARNING),
        (judge_durability(DURABLE), State.OK),
        (judge_durability({**DURABLE, "synchronous_commit": "remote_apply"}), State.OK),
        (judge_durability({**DURABLE, "synchronous_commit": "off"}), State.PROBLEM),
        (judge_durability({**DURABLE, "fsync": "off"}), State.PROBLEM),
        (
            judge_durability({**DURABLE, "fsync": "off", "synchronous_commit": "local"}),
            State.PROBLEM,
        ),
        (judge_durability({**DURABLE, "full_page_writes": "off"}), State.PROBLEM),
        (judge_durability({}), State.PROBLEM),
        (judge_revision("0002", "0002"), State.OK),
        (judge_revision("0001", "0002"), State.PROBLEM),
        (judge_revision(None, "0002"), State.PROBLEM),
        (judge_gateway("http://g", 200, ""), State.OK),
        (judge_gateway("http://g", 503, "not ready: host-0"), State.PROBLEM),
        (judge_gateway("http://g", None, "refused"), State.PROBLEM),
        (judge_presence(STACK, 7), State.OK),
        (judge_presence(None, None), State.WARNING),
        (judge_presence(None, 7), State.PROBLEM),
        (judge_presence(STACK, None), State.PROBLEM),
        (judge_presence(StackFile("a", "b", "0.0.0"), 7), State.WARNING),
    ],
)
def test_state(check: Check, state: State) -> None:
    """Each finding is judged as what it is, and what is not well names what mends it."""
    assert state == check.state
    assert (state is State.OK) == (check.mend == "")


@pytest.mark.parametrize(
    ("wall", "state"),
    [
        (WHOLE, State.OK),
        (Wall(not_forced=(), role_bypasses=False), State.OK),
        (Wall(not_forced=("memories",), role_bypasses=False, from_within=3), State.PROBLEM),
        (Wall(not_forced=(), role_bypasses=True, from_within=3), State.PROBLEM),
        (
            Wall(not_forced=(), role_bypasses=False, without_namespace=1, from_within=3),
            State.PROBLEM,
        ),
        (Wall(not_forced=(), role_bypasses=False, from_another=1, from_within=3), State.PROBLEM),
        (Wall(not_forced=(), role_bypasses=False, from_within=0), State.PROBLEM),
        (Wall(not_forced=(), role_bypasses=False, from_within=3, logs_in=False), State.OK),
        (Wall(not_forced=(), role_bypasses=False, from_within=3, out_of_role=1), State.PROBLEM),
    ],
)
def test_wall(wall: Wall, state: State) -> None:
    """A wall with any hole is a problem, and so is one that shuts out its own namespace."""
    assert state == judge_wall(wall).state


def test_wall_untried_says_so() -> None:
    """With no memory stored the check does not claim to have tried the wall."""
    assert "no memory is stored yet" in judge_wall(Wall(not_forced=(), role_bypasses=False)).says


def test_server_keeps_every_problem() -> None:
    """Each of a server's problems becomes a problem here, and each warning a warning."""
    report = ServerReport(
        version="15.1", version_num=150_001, problems=("too old", "no pgvector"), warnings=("slow",)
    )

    checks = judge_server(report)

    assert [one.state for one in checks] == [State.PROBLEM, State.PROBLEM, State.WARNING]


@pytest.mark.parametrize(("superuser", "state"), [(True, State.WARNING), (False, State.OK)])
def test_the_role_of_the_stack_is_named(superuser: bool, state: State) -> None:
    """A superuser is told of by name, since SQL in its sessions reaches the machine."""
    report = ServerReport(
        version="18.4", version_num=180_004, user_name="ada", is_superuser=superuser
    )
    check = judge_role(report)

    assert check.state is state
    assert "ada" in check.says


def test_parts_name_the_silent_one() -> None:
    """A part that does not answer is named, with its error."""
    checks = judge_parts({"host-0": {"pid": 1}, "writer-0": {"error": "no answer"}})

    assert [(one.name, one.says) for one in checks] == [("writer-0", "no answer")]


def test_parts_set_aside_are_a_warning() -> None:
    """Memories that could not be indexed are told, though every part answers."""
    checks = judge_parts({"indexer-0": {"pid": 1, "set_aside": 3}})

    assert [one.state for one in checks] == [State.OK, State.WARNING]


def test_parse_ipv4_table() -> None:
    """Only listening sockets are read, with address and port in human order."""
    assert {11: (ip_address("127.0.0.1"), 53), 12: (ip_address("0.0.0.0"), 8642)} == (
        parse_listening(TCP)
    )


def test_parse_ipv6_table() -> None:
    """IPv6 addresses come out right, and a mapped loopback counts as loopback."""
    found = parse_listening(TCP6)
    loopback = [Listener(*place, 1, "x").on_loopback for _, place in sorted(found.items())]

    assert [ip_address("::1"), ip_address("::ffff:127.0.0.1"), ip_address("::")] == [
        address for address, _ in found.values()
    ]
    assert loopback == [True, True, False]


def test_listeners_on_loopback_are_well() -> None:
    """Sockets on loopback only are no finding."""
    checks = judge_listeners([listener("127.0.0.1", 1), listener("::1", 2)], outward={})

    assert [one.state for one in checks] == [State.OK]


def test_listeners_beyond_loopback_are_named() -> None:
    """A process that other machines reach is a warning with its ports, one for each process."""
    checks = judge_listeners(
        [
            listener("0.0.0.0", 9, "haproxy"),
            listener("0.0.0.0", 8, "haproxy"),
            listener("::", 7, "ray::ServeReplica:gateway:gateway"),
        ],
        outward={},
    )

    assert [one.state for one in checks] == [State.WARNING, State.WARNING]
    assert "8, 9" in checks[0].says
    assert "asks for the token" in checks[1].says


def test_listeners_that_the_user_opened_are_well() -> None:
    """A gateway that was told to listen outward is what the user asked for."""
    checks = judge_listeners([listener("0.0.0.0", 80)], outward={80: "gateway"})

    assert [one.state for one in checks] == [State.OK]


def test_machine_finds_an_open_key(tmp_path: Path) -> None:
    """A key file that others can read is a problem that names the file and the command."""
    home = tmp_path / "home"
    (home / "keys").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    key = home / "keys" / "a.pem"
    key.touch(mode=0o644)
    key.chmod(0o644)

    checks = {one.name: one for one in check_machine(Settings(home=home, embedder="hashing"))}

    assert checks["home"].state == State.OK
    assert checks["secrets"].state == State.PROBLEM
    assert f"chmod 600 {key}" == checks["secrets"].mend


def test_machine_without_a_home(tmp_path: Path) -> None:
    """A home that does not exist yet is a warning, and nothing is made by looking."""
    home = tmp_path / "none"

    checks = check_machine(Settings(home=home, embedder="hashing"))

    assert checks[-1].state == State.WARNING
    assert not home.exists()


def test_a_poor_approximation_is_a_warning() -> None:
    """Segments that miss more than one in twenty are told of, others are praised with figures."""
    assert judge_segments(None).state is State.OK
    good = judge_segments(SegmentRecall(1, 250_000, 3, 0.99))
    assert (good.state, "99%" in good.says, "250,000" in good.says) == (State.OK, True, True)
    assert judge_segments(SegmentRecall(1, 250_000, 3, 0.9)).state is State.WARNING
