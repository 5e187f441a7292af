"""How a statement contradicts a fact: rules for English that rather miss one than make one up.

A fact is contradicted when the intent names all that the fact is about and then
- gives another value to the same attribute ("orders is in eu-west-1"; "stop orders in us-east-1"),
- or does what the fact forbids ("never deploy on Fridays"; "deploy billing this Friday").
History ("deployed 2.3.1 on Tuesday"), guesses and alternatives are no facts; reading, and changing
a value on purpose, contradict nothing.
"""

import re
from collections.abc import Sequence

from pinak_ray.language.prohibitions import broken
from pinak_ray.language.values import Value, values
from pinak_ray.language.words import sentences, stems

__all__ = ["difference"]

_STATES = re.compile(
    r"\b(is|are|runs?|lives?|listens?|uses?|stays?|sits?|must|should|always|requires?|needs?|keeps?|"
    r"expects?|belongs?|has|have|takes?|serves?|writes?|reads?|points?|stored|kept|hosted|deployed|written|allows?|pinned|"
    r"limited|set)\b|[=:]"
)
_ORDERS = re.compile(r"^(?:always\s+)?(?:use|set|keep|run|pass|pin|limit)\b")
_NO_FACT = re.compile(
    r"\b(was|were|had|used to|formerly|previously|will|would|might|may|could|planned|until|except|"
    r"went|reached|worked|e\.g|for example|not|never|no|or|unless|if|sometimes|usually|about|"
    r"around|roughly|don't|avoid)\b|\?"
)
_HISTORY = re.compile(r"^\w+ed\b")
_CHANGES = re.compile(
    r"\b(chang(?:e|es|ing)|mov(?:e|es|ing)|migrat(?:e|es|ing)|switch(?:es|ing)?|upgrad(?:e|es|ing)|"
    r"downgrad(?:e|es|ing)|bump(?:s|ing)?|renam(?:e|es|ing)|rais(?:e|es|ing)|lower(?:s|ing)?|"
    r"increas(?:e|es|ing)|decreas(?:e|es|ing)|resiz(?:e|es|ing)|replac(?:e|es|ing)|"
    r"updat(?:e|es|ing)|adjust(?:s|ing)?|reduc(?:e|es|ing)|extend(?:s|ing)?|scal(?:e|es|ing)|"
    r"shrink(?:s|ing)?|grow(?:s|ing)?|convert(?:s|ing)?|copy|copies|mirror|replicate|compare)\b"
)
_AT_MOST = re.compile(r"\b(at most|up to|maximum|max|no more than|limit(?:ed)?|within)\b")
_AT_LEAST = re.compile(r"\b(at least|minimum|min|or more)\b")
_DENIED = re.compile(r"\b(not|never|don't|avoid|instead of|rather than|no longer)\b")
# Of the words before the verb these tell nothing of which thing is meant.
_USED = frozenset({"use", "requir", "need", "pin", "run", "alway", "should", "serv", "version"})
_VAGUE = frozenset(
    {"must", "servic", "valu", "number", "set", "configur", "everi", "each", "current"}
)


def difference(statement: str, fact: str) -> str:
    """Return how the intent's statement contradicts the fact; "" if it does not."""
    intent = ". ".join(sentences(statement))
    return next(filter(None, (_difference(intent, each) for each in sentences(fact))), "")


def _difference(intent: str, fact: str) -> str:
    if deed := broken(fact, intent):
        return f"forbidden: {deed}"
    if _NO_FACT.search(fact) or _HISTORY.match(fact) or _CHANGES.search(intent):
        return ""
    if _DENIED.search(intent) or not (_STATES.search(fact) or _ORDERS.match(fact)):
        return ""
    known, meant = list(values(fact)), list(values(intent))
    bounded = _AT_MOST.search(fact) or _AT_LEAST.search(fact)
    for attribute in dict.fromkeys(value.attribute for value in known):
        ours = [value for value in known if value.attribute == attribute]
        theirs = [v for v in meant if v.attribute == attribute and (v.given or bounded)]
        if theirs and _differ(ours, theirs, fact) and _same_thing(attribute, ours, fact, intent):
            is_, was = (", ".join(dict.fromkeys(v.value for v in each)) for each in (theirs, ours))
            return f"{attribute} {is_}, known as {was}"
    return ""


def _differ(ours: Sequence[Value], theirs: Sequence[Value], fact: str) -> bool:
    """Tell whether no value of the intent agrees with one of the fact."""
    return not any(_agree(known.value, meant.value, fact) for known in ours for meant in theirs)


def _agree(known: str, meant: str, fact: str) -> bool:
    (left, _, unit), (right, _, other) = known.partition(" "), meant.partition(" ")
    if "/" in known:
        return known.startswith(meant) or meant.startswith(known)
    if "." in known and unit == other == "" and (known + ".").startswith(right + "."):
        return True  # 15 for 15.4
    if "." in meant and (meant + ".").startswith(left + "."):
        return True
    if unit != other and unit and other:
        return True  # megabytes and seconds: nothing that these rules can compare
    try:
        most, said = float(left), float(right)
    except ValueError:
        return known == meant
    if _AT_MOST.search(fact):
        return said <= most
    if _AT_LEAST.search(fact):
        return said >= most
    return said == most


def _same_thing(attribute: str, ours: Sequence[Value], fact: str, intent: str) -> bool:
    """Tell whether the intent names all that the fact's value is said of."""
    rest = fact
    for value in ours:
        start, end = value.span
        rest = rest[:start] + " " * (end - start) + rest[end:]
    verb = _STATES.search(rest)
    subject = rest[: verb.start()] if verb and verb.start() else rest
    whole = attribute == "path" or attribute.startswith("version of")
    if whole or _ORDERS.match(fact):
        subject = _ORDERS.sub("", rest)  # where something is kept depends on what is done to it
    about = stems(subject) - stems(attribute) - _VAGUE
    if attribute.startswith("version of"):
        return about - _USED <= stems(intent)  # that name is in both
    return bool(about) and about <= stems(intent)
