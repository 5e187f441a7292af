"""Metrics are per part, have few labels, and merge into one valid text."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from pinak_ray.telemetry.metrics import Metrics, merge_metrics


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return the samples of a text by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def cache_figures(equal: int) -> dict[str, Any]:
    """Return a cache's numbers."""
    lookups = {"equal": equal, "near": 2, "shared": 0, "miss": 5}
    drops = {"evicted": 0, "stale": 4, "expired": 0}
    return {"entries": 1, "bytes": 900, "lookups": lookups, "drops": drops}


def filled(part: str) -> Metrics:
    """Return metrics with one observation of each kind."""
    metrics = Metrics(part)
    metrics.observe_request("/v1/recall", method="POST", status=200, seconds=0.004)
    metrics.count_operation("recall")
    metrics.count_operation("remember", result="overloaded")
    metrics.set_queue_depth("writer", 7)
    metrics.set_cache("recall", cache_figures(equal=3))
    return metrics


def test_every_observation_is_rendered() -> None:
    """What was observed is what a scraper reads."""
    found = samples(filled("gateway").render())
    part = ("part", "gateway")
    assert found["pinak_queue_depth", (part, ("queue", "writer"))] == 7
    overloaded = (part, ("result", "overloaded"), ("verb", "remember"))
    assert found["pinak_operations_total", overloaded] == 1
    request = (("method", "POST"), part, ("route", "/v1/recall"), ("status", "200"))
    assert found["pinak_request_seconds_count", request] == 1


def test_a_caches_counts_follow_its_own() -> None:
    """Counters rise to what the cache has counted, and go on when it begins anew."""
    metrics = Metrics("gateway")
    for equal in (3, 7, 7, 2):
        metrics.set_cache("recall", cache_figures(equal))
    found, cache = samples(metrics.render()), ("cache", "recall")
    part = ("part", "gateway")
    assert found["pinak_cache_lookups_total", (cache, part, ("result", "equal"))] == 7 + 2
    assert found["pinak_cache_lookups_total", (cache, part, ("result", "miss"))] == 5
    assert found["pinak_cache_drops_total", (cache, part, ("reason", "stale"))] == 4
    assert found["pinak_cache_entries", (cache, part)] == 1
    assert found["pinak_cache_bytes", (cache, part)] == 900


def test_two_parts_do_not_mix() -> None:
    """Each Metrics has its own registry: nothing is shared through the module."""
    filled("one")
    assert samples(Metrics("two").render()) == {}


def test_no_label_names_an_agent() -> None:
    """The number of series does not grow with the number of agents."""
    text = filled("gateway").render().decode()
    labels = {
        label
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for label in sample.labels
    }
    assert labels <= {
        "part", "route", "method", "status", "verb", "result", "queue", "cache", "reason", "le",
    }  # fmt: skip


def test_merging_opens_each_family_once() -> None:
    """A merged text holds all samples, and each family's head once."""
    texts = [filled("one").render(), filled("two").render(), b"# TYPE lone gauge\nlone 1\n"]
    merged = merge_metrics(texts)
    heads = [line for line in merged.splitlines() if line.startswith(b"# TYPE")]
    assert len(heads) == len(set(heads))
    everything = {}
    for text in texts:
        everything.update(samples(text))
    assert samples(merged) == everything
