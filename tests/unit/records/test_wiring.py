"""Every operation says how it is carried, and everything that carries operations knows it."""

import re
import subprocess
import sys
from typing import Any

import pytest

from pinak_ray.actors.supervisor import Supervisor
from pinak_ray.actors.writer import Writer
from pinak_ray.agents.host import Host
from pinak_ray.client.over_http.requests import CARRIED
from pinak_ray.composed.table import COMPOSED
from pinak_ray.records.commands import COMMANDS, VIEWS
from pinak_ray.records.operations import Watch
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.records.wiring import WIRING, Operation, Place, Wiring
from pinak_ray.security.scopes import Scope
from pinak_ray.serve.context import Deadlines
from pinak_ray.serve.v1.application import application
from pinak_ray.services.search import SearchParts
from pinak_ray.store.answering import ANSWERS
from pinak_ray.testing.grades import LocalGrades
from pinak_ray.testing.links import LocalLinks
from pinak_ray.testing.memories import LocalMemories
from pinak_ray.testing.nudges import LocalNudges
from pinak_ray.testing.search import LocalSearch
from pinak_ray.testing.templates import LocalTemplates
from pinak_ray.testing.transport import LocalTransport

TABLE = pytest.mark.parametrize(
    ("operation", "wiring"), WIRING.items(), ids=[each.__name__ for each in WIRING]
)
# Routes of the gateway itself: what they answer is no operation of an agent.
OF_THE_GATEWAY = {
    "GET /v1/memories/{memory_id}": "a memory with its history, paged by bytes",
    "GET /v1/curation": "the Curator's report",
    "POST /v1/curation": "the Curator's pass",
    "GET /v1/stats": "figures",
    "GET /api/v1/search/cache/stats": "figures",
    "GET /api/v1/search/scratchpad/stats": "figures",
    "GET /healthz": "a probe",
    "GET /readyz": "a probe",
    "GET /metrics": "a scrape",
    "GET /.well-known/jwks.json": "the public keys",
}


def expanded(route: str) -> list[str]:
    """Return the routes that one with `{verb}` or `{view}` stands for."""
    space = Space.BOARD if "/boards/" in route else Space.AGENT
    route = route.replace("{board}", "{name}").replace("{agent}", "{name}")
    if "{verb}" in route:
        return [route.replace("{verb}", verb) for where, verb in COMMANDS if where is space]
    if "{view}" in route:
        return [route.replace("{view}", view) for where, view in VIEWS if where is space]
    return [route]


def declared() -> dict[str, Wiring]:
    """Return all routes of all operations; every name of an owner is `{name}` here."""
    routes = (
        (route.replace(":path}", "}"), wiring)
        for wiring in WIRING.values()
        for each in wiring.routes
        for route in expanded(each)
    )
    return dict(routes)


@pytest.fixture(scope="module")
def served() -> dict[str, Any]:
    """The routes of the gateway's OpenAPI document, written as `declared` writes them."""
    unasked: Any = None
    document = application(unasked).openapi()
    return {
        f"{method.upper()} {re.sub('{(agent|board)}', '{name}', path)}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_operation_is_declared() -> None:
    """No operation can be made that nothing carries."""
    undeclared = [each for each in Operation.__subclasses__() if each not in WIRING]
    assert not [each for each in undeclared if each.__module__.startswith("pinak_ray")]


@TABLE
def test_its_place_can_carry_it_out(operation: type[Operation[Any]], wiring: Wiring) -> None:
    """Whoever an operation is sent to has the method that its wiring names."""
    if wiring.place is Place.COMPOSED:
        assert operation in COMPOSED
    elif operation not in ANSWERS and wiring.place is not Place.HOST:
        carriers = {
            Place.SEARCH: SearchParts,
            Place.SUPERVISOR: Supervisor,
            Place.BESIDE: Host,
            Place.WRITER: Writer,
        }
        # A Writer is sent encoded rows of what is remembered, in batches.
        call = "write" if wiring.call == "remember" else wiring.call
        assert callable(getattr(carriers[wiring.place], call))


def test_a_recaller_alone_knows_who_answers() -> None:
    """Its process imports nothing but its own parts: whatever answers is among them."""
    program = """
import pinak_ray.actors.recaller
from pinak_ray.services.search import SearchParts
from pinak_ray.store.answering import ANSWERS
known = set(ANSWERS)
import pinak_ray.client.swarm, pinak_ray.composed.table
from pinak_ray.records.wiring import WIRING, Place
for operation, wiring in WIRING.items():
    if wiring.place is Place.SEARCH:
        assert operation in known or hasattr(SearchParts, wiring.call), operation
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@TABLE
def test_the_twin_carries_it_out(operation: type[Operation[Any]], wiring: Wiring) -> None:
    """LocalSwarm has what a stack has, but for what needs processes of its own."""
    if wiring.place is Place.WRITER:
        assert callable(getattr(LocalTransport, f"_{wiring.call}"))
    if wiring.place is Place.SEARCH:
        parts = (LocalSearch, LocalMemories, LocalLinks, LocalGrades, LocalTemplates, LocalNudges)
        assert sum(callable(getattr(part, wiring.call, None)) for part in parts) == 1


@TABLE
def test_it_has_a_route_or_a_reason(operation: type[Operation[Any]], wiring: Wiring) -> None:
    """What cannot be asked for over HTTP says why; what can, our own client asks for."""
    assert bool(wiring.routes) != bool(wiring.unrouted)
    assert (operation in CARRIED or wiring.tag is not None) == bool(wiring.routes)


def test_routes_are_served_as_declared(served: dict[str, Any]) -> None:
    """The gateway serves all declared routes, and no other one without a word."""
    routes = {route for route in served if "{key}" not in route or "working" in route}
    assert set(declared()) <= routes
    assert routes - set(declared()) == set(OF_THE_GATEWAY)


def test_writes_ask_for_the_write_scope(served: dict[str, Any]) -> None:
    """A token that may only read is let in exactly where nothing is written."""
    for route, wiring in declared().items():
        asks = Scope.WRITE if wiring.writes else Scope.READ
        assert served[route]["security"] == [{"token": [asks]}], route


@TABLE
def test_a_write_has_the_time_of_a_write(operation: type[Operation[Any]], wiring: Wiring) -> None:
    """A board's write may wait for a host that moves, as a memory's may: 30 s, reads 10."""
    deadlines = Deadlines(read_s=1.0, write_s=3.0)
    if operation is Watch:
        watch = Watch(Owner(1, Space.BOARD, "b"), wait_s=5.0)
        assert deadlines.of(watch) == 6.0
    else:
        fields: Any = dict.fromkeys(operation.__struct_fields__)  # they say nothing of its time
        assert deadlines.of(operation(**fields)) == (3.0 if wiring.writes else 1.0)
