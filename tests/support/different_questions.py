"""Pairs of questions that look alike and ask for something else, by kind; the same in every run."""

import random
from collections.abc import Callable, Iterator
from itertools import islice

__all__ = ["KINDS", "pairs"]

Draw = random.Random
_ASKED = (
    "What is known of {}?", "who reported {}", "Which service did {} break?", "when was {} closed?",
    "Could you tell me what happened to {}?", "is {} still open?", "how long did {} take",
    "Please, what did we decide on {}?", "{}: what was the reason?", "why {}",
)  # fmt: skip
_NAMES = (
    "ada",
    "bob",
    "Cleo",
    "Dan",
    "Müller",
    "Muller",
    "李雷",
    "韩梅梅",
    "Олег",
    "Ольга",
    "May",
    "may",
)
_OPPOSITES = (
    ("enable", "disable"), ("start", "stop"), ("before", "after"), ("allow", "deny"),
    ("increase", "decrease"), ("open", "closed"), ("first", "last"), ("add", "remove"),
    ("up", "down"), ("on", "off"),
    ("encrypted", "unencrypted"), ("minimum", "maximum"), ("more", "less"), ("local", "remote"),
)  # fmt: skip
_DENIALS = (
    ("is it allowed to {}?", "is it not allowed to {}?"), ("may we {}", "may we never {}"),
    ("does it {}?", "doesn't it {}?"), ("with {}", "without {}"), ("can you {}", "can't you {}"),
    ("what happens if we {}", "what happens unless we {}"), ("any reason to {}", "no reason to {}"),
)  # fmt: skip
_QUANTIFIERS = (
    "all", "some", "no", "few", "a few", "most", "the most", "many", "only", "every", "any", "both",
)  # fmt: skip
_CASES = (
    ("mW", "MW"), ("Go", "go"), ("us", "US"), ("Pa", "PA"), ("kb", "Kb"), ("it", "IT"),
    ("Mb", "MB"), ("Polish", "polish"), ("-v", "-V"), ("orders_A", "orders_a"), ("will", "Will"),
    ("Rust", "rust"),
)  # fmt: skip
_SCRIPTS = (
    ("订单", "账单"), ("备份", "检索"), ("サーバ停止", "予算承認"), ("заказы", "счета"),
    ("주문", "청구"),
    ("الطلبات", "الفواتير"), ("คำสั่ง", "ใบแจ้ง"), ("ትዕዛዝ", "ሂሳብ"), ("הזמנה", "חשבון"),
    ("ordre", "órdre"),
)  # fmt: skip
_SIGNS = (
    "🚀",
    "💥",
    "🔥",
    "✅",
    "👩‍💻",
    "👨‍💻",
    "👍",
    "👍🏽",
    "→",
    "←",
    "≥",
    "≤",
    "±",
    "5!",
    "C#",
    "C++",
)
_UNITS = (
    "ms",
    "s",
    "m",
    "min",
    "h",
    "kB",
    "KiB",
    "MB",
    "GB",
    "%",
    "‰",
    "€",
    "$",
    "°C",
    "°F",
    "m²",
    "m2",
)
_DEEDS = (
    "deploy on Friday",
    "restart nginx",
    "备份数据",
    "push to main",
    "drop the index",
    "delete logs",
)
_ENDS = (
    "orders",
    "billing",
    "eu-west-1",
    "us-east-1",
    "a",
    "b",
    "staging",
    "production",
    "主库",
    "从库",
)


def _number(draw: Draw) -> tuple[str, str]:
    number = draw.randrange(1, 99_999)
    unlike = draw.choice(
        (number + 1, number * 10, int(str(number)[::-1] + "1"), -number, f"{number}.0")
    )
    word = draw.choice(("port", "shard", "step", "room", "error", "миграция", "工单"))
    return f"{word} {number}", f"{word} {unlike}"


def _identifier(draw: Draw) -> tuple[str, str]:
    number, ahead = (
        draw.randrange(1_000, 99_999),
        draw.choice(("INC", "ops", "JIRA-A", "CVE-2026", "#")),
    )
    hashed = f"{draw.getrandbits(64):016x}"
    other = hashed[:-1] + ("0" if hashed[-1] != "0" else "1")
    return draw.choice(
        (
            (f"ticket {ahead}-{number}", f"ticket {ahead}-{number + 1}"),
            (f"commit {hashed}", f"commit {other}"),
        )
    )


def _phone(draw: Draw) -> tuple[str, str]:
    form = draw.choice(("+1 555 {:03} {:04}", "({:03}) {:04}", "0{:03}-{:04}", "+49/{:03}/{:04}"))
    area, own = draw.randrange(1000), draw.randrange(9999)
    return form.format(area, own), form.format(area, own + 1)


def _version(draw: Draw) -> tuple[str, str]:
    parts = [draw.randrange(30) for _ in range(3)]
    other = list(parts)
    other[draw.randrange(3)] += 1
    tail = draw.choice(("", "-rc1", "b2"))
    return "v" + ".".join(map(str, parts)) + tail, "v" + ".".join(map(str, other)) + tail


def _date(draw: Draw) -> tuple[str, str]:
    day, months = draw.randrange(1, 28), ("March", "May", "June", "July")
    month, other = draw.sample(months, 2)
    return draw.choice((
        (f"the outage of 2026-03-{day:02}", f"the outage of 2026-03-{day + 1:02}"),
        (f"the cut on {day} {month}", f"the cut on {day} {other}"), ("last week", "the last week"),
        (f"the {day}:30 job", f"the {day}:31 job"), ("Monday's plan", "Tuesday's plan"),
    ))  # fmt: skip


def _name(draw: Draw) -> tuple[str, str]:
    one, other = draw.sample(_NAMES, 2)
    what = draw.choice(("the decision of {}", "what {} said", "{}'s deploy", "the host of {}"))
    return what.format(one), what.format(other)


def _opposite(draw: Draw) -> tuple[str, str]:
    one, other = draw.choice(_OPPOSITES)
    what = draw.choice(
        ("how to {} 2FA", "the {} script", "what we {} at night", "jobs {} the freeze")
    )
    return what.format(one), what.format(other)


def _denial(draw: Draw) -> tuple[str, str]:
    (one, other), deed = draw.choice(_DENIALS), draw.choice(_DEEDS)
    return one.format(deed), other.format(deed)


def _quantifier(draw: Draw) -> tuple[str, str]:
    one, other = draw.sample(_QUANTIFIERS, 2)
    return f"{one} replicas failed", f"{other} replicas failed"


def _order(draw: Draw) -> tuple[str, str]:
    one, other = draw.sample(_ENDS, 2)
    what = draw.choice(
        ("from {} to {}", "copy {} over {}", "does {} call {}", "{} before {}", "{} - {}")
    )
    return what.format(one, other), what.format(other, one)


def _either(of: tuple[tuple[str, str], ...], *forms: str) -> Callable[[Draw], tuple[str, str]]:
    def drawn(draw: Draw) -> tuple[str, str]:
        (one, other), form = draw.choice(of), draw.choice(forms)
        return form.format(one), form.format(other)

    return drawn


def _two_of(of: tuple[str, ...], *forms: str) -> Callable[[Draw], tuple[str, str]]:
    def drawn(draw: Draw) -> tuple[str, str]:
        one, other = draw.sample(of, 2)
        form = draw.choice(forms)
        return form.format(one), form.format(other)

    return drawn


KINDS: dict[str, Callable[[Draw], tuple[str, str]]] = {
    "numbers": _number, "identifiers": _identifier, "phones": _phone, "versions": _version,
    "dates": _date, "names": _name, "opposites": _opposite, "denials": _denial, "order": _order,
    "quantifiers": _quantifier, "case": _either(_CASES, "the {} build", "{} in use", "use {}"),
    "scripts": _either(_SCRIPTS, "{}", "deploy {} failed", "{} 失败"),
    "signs": _two_of(_SIGNS, "{}", "{} done", "the {} note"),
    "units": _two_of(_UNITS, "the timeout of 5 {}", "5 {}", "a limit of 20{}"),
}  # fmt: skip


def pairs(count: int) -> Iterator[tuple[str, str, str]]:
    """Yield so many pairs, each with its kind; the kinds take turns."""
    draw = random.Random(34)

    def endless() -> Iterator[tuple[str, str, str]]:
        while True:
            for kind, drawn in KINDS.items():
                asked = draw.choice(_ASKED)
                one, other = (asked.format(each) for each in drawn(draw))
                if one != other:
                    yield kind, one, other

    return islice(endless(), count)
