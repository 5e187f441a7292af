"""The simulation's pure parts: the schedule's law, the histograms, and the report."""

import random
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import islice, pairwise, takewhile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinak_ray.cli.simulation import Plan, write_report
from pinak_ray.cli.simulation.acknowledged import Acknowledged, Noted
from pinak_ray.cli.simulation.behaviour import MIX, Verb, actions
from pinak_ray.cli.simulation.hosts import HostReading, Hosts
from pinak_ray.cli.simulation.report.plot import Plot, Series, clock, clock_ticks, ticks
from pinak_ray.cli.simulation.result import Result
from pinak_ray.cli.simulation.samples import Histogram, Samples
from pinak_ray.cli.simulation.verification import Verified

DURATIONS = st.lists(st.floats(min_value=0.001, max_value=3_600_000), min_size=1, max_size=300)
PERCENTS = st.sampled_from([1, 50, 95, 99, 100])


def plan(**changed: object) -> Plan:
    """Return a small plan with something changed."""
    usual = {"run": "r", "agents": 100, "duration_s": 20.0, "rate": 50.0, "tasks": 2, "seed": 1}
    return Plan(**{**usual, **changed})  # type: ignore[arg-type]


def histogram(values: list[float]) -> Histogram:
    """Return these durations, counted."""
    made = Histogram()
    for value in values:
        made.add(value)
    return made


# The schedule


def test_the_same_seed_draws_the_same_actions() -> None:
    """A slice's actions follow from the plan alone, and another seed draws others."""
    part, other = plan().slices()[0], plan(seed=2).slices()[0]

    assert list(islice(actions(part), 50)) == list(islice(actions(part), 50))
    assert list(islice(actions(part), 50)) != list(islice(actions(other), 50))


@pytest.mark.parametrize("agents", [1, 3, 100, 1_000_000])
def test_slices_hold_every_agent_once(agents: int) -> None:
    """Slices are disjoint, cover all agents, share the rate, and act only for their own."""
    parts = plan(agents=agents, tasks=4).slices()

    assert agents == sum(part.size for part in parts)
    assert pytest.approx(sum(part.rate for part in parts)) == 50.0
    for part in parts:
        for action in islice(actions(part), 100):
            assert action.agent < agents
            assert action.agent % part.count == part.index


def test_arrivals_are_a_poisson_process() -> None:
    """The count is the rate's, gaps vary as much as they last, and verbs come in their mix."""
    (part,) = plan(tasks=1, rate=200.0).slices()
    drawn = list(takewhile(lambda action: action.due_s < 100, actions(part)))
    due = [action.due_s for action in drawn]
    gaps = [after - before for before, after in pairwise(due)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    verbs = Counter(action.verb for action in drawn)

    assert due == sorted(due)
    assert pytest.approx(len(drawn), rel=0.05) == 20_000
    assert mean == pytest.approx(deviation, rel=0.05)
    for verb, share in MIX.items():
        assert share == pytest.approx(verbs[verb] / len(drawn), rel=0.15)


def test_the_mix_is_whole() -> None:
    """Every verb has a share, and the shares are all there is."""
    assert set(Verb) == set(MIX)
    assert pytest.approx(1.0) == sum(MIX.values())


def test_sentences_are_filled_in() -> None:
    """No template's slot is left open, failures are told, and some intents would repeat them."""
    drawn = list(islice(actions(plan().slices()[0]), 2_000))

    assert not [action.text for action in drawn if "{" in action.text]
    assert {True, False} == {one.failed for one in drawn if one.verb is Verb.REMEMBER}


def test_an_agent_keeps_its_topic_for_a_session() -> None:
    """All that one agent does in one session is about one kind of work."""
    drawn = islice(actions(plan(agents=5, rate=1.0, duration_s=3600.0, tasks=1).slices()[0]), 3_000)
    topics: dict[str, set[str]] = {}
    for action in drawn:
        topics.setdefault(action.session, set()).add(action.topic)

    assert len(topics) > 5
    assert {1} == {len(names) for names in topics.values()}


def test_the_default_rate_is_one_a_minute_within_bounds() -> None:
    """Ten agents make ten operations a minute; a million are held to what the machine does."""
    assert pytest.approx(Plan.rate_for(10)) == 10 / 60
    assert Plan.rate_for(1_000_000) == Plan.rate_for(10_000_000) < 1_000_000 / 60


def test_intervals_are_bounded() -> None:
    """A day has no more points than an hour can show."""
    assert plan(duration_s=60.0).interval_s == 1.0
    assert 86_400 / plan(duration_s=86_400.0).interval_s <= 240


# The histograms


@given(DURATIONS, PERCENTS)
def test_percentiles_are_near_the_exact_ones(values: list[float], percent: int) -> None:
    """A percentile is within 2% of the value that the sorted list has at its rank."""
    rank = max(1, -(-len(values) * percent // 100))

    assert sorted(values)[rank - 1] == pytest.approx(
        histogram(values).percentile(percent), rel=0.0201
    )


@given(DURATIONS, DURATIONS)
def test_merging_is_counting_all(some: list[float], others: list[float]) -> None:
    """Two histograms merged are the histogram of all values."""
    merged = histogram(some)
    merged.merge(histogram(others))

    assert histogram([*some, *others]) == merged


def test_nothing_has_no_percentile() -> None:
    """An empty histogram says so, and one beyond its range holds the nearest end."""
    assert Histogram().percentile(50) is None
    assert histogram([0.0, -1.0]).percentile(99) == pytest.approx(0.001)
    assert histogram([1e12]).longest_ms == 3_600_000


def test_samples_merge_by_interval_and_verb() -> None:
    """What two tasks measured in one interval becomes one cell; nothing is counted twice."""
    total = Samples()
    for value, code in ((1.0, "overloaded"), (2.0, "unavailable")):
        sent = Samples(unsent=1, nudged=1)
        sent.cell(3, "note").latency.add(value)
        sent.cell(3, "note").errors[code] += 1
        sent.add_lag(3, value)
        total.merge(sent)

    assert list(total.cells) == [(3, "note")]
    assert histogram([1.0, 2.0]) == total.of_interval(3).latency == total.all_lag()
    assert total.of_verb("note").errors == {"overloaded": 1, "unavailable": 1}
    assert (total.unsent, total.nudged) == (2, 2)


# What was acknowledged


@given(st.permutations(range(1, 8)))
def test_the_newest_version_is_kept(versions: list[int]) -> None:
    """However receipts come back, the note that is checked is the newest acknowledged one."""
    kept = Acknowledged(10)
    for version in versions:
        kept.add(4, "step", Noted(version, f"text {version}"))

    assert {(4, "step"): Noted(7, "text 7")} == kept.notes


def test_the_sample_is_bounded() -> None:
    """Of a million agents about a thousand are followed."""
    kept = Acknowledged(1_000_000)

    assert sum(kept.follows(agent) for agent in range(1_000_000)) == 1_000


# The report


def result(**changed: object) -> Result:
    """Return a result with a few operations, an error and a lagging schedule."""
    samples = Samples(nudged=2)
    draw = random.Random(1)
    for interval in range(20):
        for verb in Verb:
            cell = samples.cell(interval, verb)
            cell.latency.add(draw.expovariate(0.1))
            cell.service.add(draw.expovariate(0.2))
            samples.add_lag(interval, draw.expovariate(1))
    samples.cell(5, Verb.NOTE).errors["<b>odd</b>"] += 3
    hosts = Hosts(("host-0", "host-<1>"), {7: {"host-<1>": HostReading(100 * 2**20, 40)}})
    usual = {
        "plan": plan(), "project": "<script>alert(1)</script> & co", "seconds": 20.0,
        "began_at": datetime(2026, 1, 2, tzinfo=UTC), "ended_early": False, "tasks_died": 0,
        "machine": {
            "cores": 2, "memory_gib": 1.0, "system": "x", "python": "3", "ray": "2",
            "pinak_ray": "0", "load_before": 0.1,
        },
        "samples": samples, "hosts": hosts, "verified": Verified(9, 20, 0, 30, 30),
    }  # fmt: skip
    return Result(**{**usual, **changed})  # type: ignore[arg-type]


class Nesting(HTMLParser):
    """Follows which elements are open, and what every element is and refers to."""

    VOID = ("meta",)

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: Counter[str] = Counter()
        self.text = ""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] += 1
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(path: Path) -> Nesting:
    """Return what a parser sees in the document."""
    nesting = Nesting()
    nesting.feed(path.read_text(encoding="utf-8"))
    nesting.close()
    assert nesting.open == []
    return nesting


def test_the_report_is_well_formed_and_stands_alone(tmp_path: Path) -> None:
    """Every element is closed, nothing is fetched, and names come out as text, never as markup."""
    path = tmp_path / "report.html"
    write_report(result(), path)
    found = read(path)

    assert found.links == []
    assert "url(" not in path.read_text(encoding="utf-8")
    assert found.seen["script"] == found.seen["b"] == 0
    assert "<script>alert(1)</script> & co" in found.text
    assert "3 <b>odd</b>" in found.text


def test_every_plot_can_be_read_without_seeing_it(tmp_path: Path) -> None:
    """Each figure has a title, a caption and a table of its values; each table says what it is."""
    path = tmp_path / "report.html"
    write_report(result(), path)
    found = read(path)

    assert found.seen["figure"] == found.seen["figcaption"] == found.seen["details"] == 7
    assert found.seen["desc"] == 7
    assert found.seen["table"] == found.seen["caption"] == 7 + 1


@pytest.mark.parametrize(
    "empty", [{"samples": Samples(), "hosts": Hosts(("host-0",)), "seconds": 0.0}]
)
def test_a_report_of_nothing(tmp_path: Path, empty: dict[str, object]) -> None:
    """A run that was ended before its first answer still has its report and its figures."""
    path = tmp_path / "report.html"
    write_report(result(**empty), path)
    figures = result(**empty).as_json()

    assert read(path).seen["figure"] == 6
    assert (figures["operations"], figures["operations_per_s"]) == (0, 0.0)


def test_falling_behind_is_said(tmp_path: Path) -> None:
    """A schedule that could not be kept is the report's first sentence."""
    late = Samples(unsent=7)
    late.add_lag(0, 5_000.0)
    path = tmp_path / "report.html"
    write_report(result(samples=late), path)

    assert result(samples=late).as_json()["kept_up"] is False
    assert "fell behind" in read(path).text
    assert "7 were never sent" in read(path).text


def test_a_loss_is_counted() -> None:
    """Lost are notes that differ and memories that are missing; one too many hides none."""
    assert (
        Verified(9, 20, 1, 30, 28).lost,
        Verified(9, 20, 2, 30, 31).lost,
        Verified(9, 20, 0, 30, 30).lost,
    ) == (3, 2, 0)


VALUES = st.lists(
    st.none() | st.just(0.0) | st.floats(min_value=0.001, max_value=1e9), min_size=1, max_size=40
)


@settings(deadline=None)  # the first run loads an XML parser
@given(VALUES, st.booleans())
def test_lines_stay_in_the_picture(values: list[float | None], stacked: bool) -> None:
    """Whatever the values, every point of every path lies within the picture."""
    times = [float(index) for index in range(len(values))]
    series = [Series("a", values), Series("b", list(reversed(values)))]
    figure = Plot(
        title="t", caption="c", times=times, series=series, write=str, stacked=stacked
    ).figure()
    svg = figure.find("svg")
    assert svg is not None
    _, _, width, height = map(float, svg.attrib["viewBox"].split())

    ET.fromstring(ET.tostring(figure))
    for path in svg.iter("path"):
        if "s" in path.attrib["class"].split()[-1]:
            for point in path.attrib["d"].replace("h0", "").replace("Z", "")[1:].split("L"):
                for corner in filter(None, point.split("M")):
                    x, y = map(float, corner.split())
                    assert 0 <= x <= width
                    assert 0 <= y <= height


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_ticks_are_few_and_within(highest: float) -> None:
    """An axis has two to six labels, evenly spaced from 0, none beyond its end."""
    found = ticks(highest)

    assert found[0] == 0
    assert 2 <= len(found) <= 6
    assert found[-1] <= highest * 1.0001


@given(st.floats(min_value=1, max_value=1e7))
def test_clock_ticks_are_few(end: float) -> None:
    """Times are labelled at round minutes, at most seven of them."""
    found = clock_ticks(end)

    assert 1 <= len(found) <= 7
    assert found[-1] <= end


def test_clock() -> None:
    """A time since the beginning reads as on a stopwatch."""
    assert [clock(seconds) for seconds in (5, 120, 3601)] == ["0:05", "2:00", "1:00:01"]
