"""Values that a sentence gives to attributes: a port, a region, a timeout of 10 seconds."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pinak_ray.language.words import stems

__all__ = ["Value", "values"]


class Value(NamedTuple):
    """One value: of which attribute, and as which words it stands in the text.

    Not `given`: a bare count of what is acted on ("restart 2 workers"), which sets nothing.
    """

    attribute: str
    value: str
    span: tuple[int, int]
    given: bool = True


_REGION = re.compile(
    r"\b(?:(?:us|eu|ap|sa|ca|af|me|il|cn)-(?:gov-)?(?:north|south|east|west|central){1,2}-\d"
    r"|(?:us|europe|asia|australia|northamerica|southamerica|africa|me)-"
    r"(?:north|south|east|west|central){1,2}\d)\b"
)
# A closed list: "migration 42" or "step 3" names another thing, it does not value the same one.
_QUANTITIES = (
    "port|timeout|ttl|expiry|interval|retention|delay|retries|replicas|nodes|workers|threads|"
    "connections|shards|partitions|concurrency|instances|copies|runners|cores|cpus|memory|heap|"
    "limit|quota|length|size|batch|percent|approvals|reviewers|characters|version"
)
_UNITS = "ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|days?|weeks?|[kmg]i?b|%"
_NUMBER = rf"(?P<number>\d+(?:\.\d+)*)\s*(?P<unit>{_UNITS})?\b"
_IS = r"(?:\s+(?:is|are|to|of|at|=|:|must be|should be|stays?(?: at)?|set to)|\s*[=:])*\s*"
_NAMED = re.compile(
    rf"(?<![\w])(?:--)?(?P<name>{_QUANTITIES})s?\b{_IS}v?{_NUMBER}(?![\w.-]*[a-z/:])"
)
_COUNTED = re.compile(
    r"(?<![\w.:-])(?P<given>(?:with|at|to|has|have|an?|=)\s+)?"
    r"(?P<number>\d+|two|three|four|five|six|eight)[\s-]+"
    rf"(?:(?P<unit>{_UNITS})[\s-]+)?(?P<name>{_QUANTITIES})\b"
)
# A name of a host has at most 253 characters; without an end each of its parts is read to the last.
_PORT = re.compile(r"\b[a-z][\w.-]{0,252}:(?P<number>\d{2,5})\b(?![:.]\d)")
# "postgres 15.4", "python 3.11": what stands before a number with points is what has the version.
_VERSION = re.compile(
    r"\b(?P<name>[a-z][a-z+]{2,40})[\s-]+v?(?P<number>\d+(?:\.\d+){1,3})\b(?!\s*%)"
)
_ADDRESS = re.compile(
    r"(?<![\w./@-])(?P<host>\d{1,3}(?:\.\d{1,3}){3}"
    r"|(?:[a-z0-9-]+\.)+(?:internal|local|lan|corp|com|net|org|io|dev|cloud)"
    r"|(?:db|pg|redis|kafka|mysql|cache|host|node|server|vm)-?\d{1,3})(?![\w-]|\.\w)"
)
_PATH = re.compile(r"(?<![\w.:/])(?P<path>(?:~|/[\w.-]+)(?:/[\w.-]+)+)")
_NUMBERS = {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "eight": "8"}
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_KILOBYTES = {"k": 1.0, "m": 1024.0, "g": 1_048_576.0}
_BEFORE_A_VERSION = frozenset({"version", "than", "and", "from", "with", "about", "least", "most"})


def values(sentence: str) -> Iterator[Value]:
    """Yield the values in a lower-case sentence; one place may be read as more than one."""
    for found in _REGION.finditer(sentence):
        yield Value("region", found[0], found.span())
    for pattern in (_NAMED, _COUNTED):
        for found in pattern.finditer(sentence):
            given = pattern is _NAMED or bool(found["given"])
            quantity = _quantity(found["number"], found["unit"])
            (attribute,) = stems(found["name"])
            yield Value(attribute, quantity, found.span(), given)
    for found in _PORT.finditer(sentence):
        yield Value("port", found["number"], found.span())
    for found in _VERSION.finditer(sentence):
        if found["name"] not in _BEFORE_A_VERSION:
            yield Value(f"version of {found['name']}", found["number"], found.span("number"))
    for found in _ADDRESS.finditer(sentence):
        yield Value("host", found["host"], found.span())
    for found in _PATH.finditer(sentence):
        yield Value("path", found["path"].rstrip("."), found.span())


def _quantity(number: str, unit: str | None) -> str:
    """Return a number with its unit in one form: times in seconds, sizes in kilobytes."""
    number = _NUMBERS.get(number, number)
    if not unit:
        return number
    short = "ms" if unit.startswith(("ms", "milli")) else unit[0]
    if number.count(".") > 1:
        return number
    if unit.endswith("b"):
        return f"{float(number) * _KILOBYTES[short]:g} kb"
    if unit == "%":
        return f"{number} %"
    return f"{float(number) * _SECONDS[short]:g} s"
