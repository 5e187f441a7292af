"""The gate: is this intent risky enough to look for a warning?

    score = cosine(intent, best failure) - max cosine(intent, safe prototypes)
          + 0.2 words(intent, best failure) - 0.03 max(ln(failures / 100), 0)
          - 0.2 [begins as what changes nothing]
          + 0.03 min(risk words, 2)

and it opens at 0.15. The form comes from a study of 194 labelled intents; the constants were chosen
on the published half of them, 97, in the middle of where precision >= .80, recall >= .75 and false
alarms <= .07 all hold: the gate from 0.11 to 0.21, with the evidence's floor from 0.40 to 0.47.
There it reaches .89, .79 and .02; with gate and floor refitted on four fifths and tried on the
fifth, .82, .79 and .04 (the form before: .74, .70 and .09).
"""

import re
from dataclasses import dataclass
from itertools import dropwhile

__all__ = [
    "READ_ONLY_VERBS",
    "RISK_WORDS",
    "SAFE_PROTOTYPES",
    "THRESHOLD",
    "WRITINGS",
    "GateResult",
    "judge",
]

THRESHOLD = 0.15
# Half of what they weigh in the evidence (failures.py).
_WORDS_WEIGHT = 0.2
# Whoever reads of a dangerous thing says much the same words as whoever does it.
_CHANGES_NOTHING = 0.2
_RISK_WORD = 0.03
# A little more must speak for a warning where chance has many failures to choose from; most of what
# chance gives is taken from the evidence itself (evidence.py).
_CROWD = 0.03

# What harmless work says of itself; embedded once. One activity each: a list of several resembles
# none of them, and resembles what it should not ("change wording, style, colours or layout":
# every change).
SAFE_PROTOTYPES = (
    "explain how something works", "summarise a document", "describe a concept to a beginner",
    "look something up in the documentation", "list the files in a folder", "show the status",
    "count the lines", "compare two options", "write documentation", "write an article or a talk",
    "take notes", "write a unit test for a function", "add comments to the code",
    "choose fonts and colours", "fix a typo", "rename a variable", "format the code",
    "translate a text", "proofread a letter", "plan a meeting", "brainstorm names",
    "plot a chart from a file", "calculate an average",
)  # fmt: skip

# Whoever starts with one of these changes nothing: reading, thinking, preparing, asking.
READ_ONLY_VERBS = frozenset({
    "analyse", "analyze", "brainstorm", "calculate", "check", "compare", "count", "define",
    "describe", "discuss", "display", "document", "draft", "estimate", "explain", "find", "format",
    "how", "identify", "illustrate", "inspect", "list", "look", "outline", "plan", "plot",
    "prepare", "print", "proofread", "read", "recommend", "rephrase", "research", "review",
    "search", "show", "sketch", "study", "suggest", "summarise", "summarize", "teach", "tell",
    "translate", "verify", "view", "visualise", "visualize", "what", "where", "which", "who", "why",
})  # fmt: skip

# And so does whoever starts with one of these and soon names a piece of writing, or a test.
_WRITING_VERBS = frozenset({
    "add", "complete", "create", "edit", "extend", "fix", "improve", "make", "update", "write",
})  # fmt: skip
_SOON = 4  # words
WRITINGS = frozenset({
    "article", "blog", "caption", "changelog", "checklist", "comment", "diagram", "doc", "docs",
    "docstring", "documentation", "essay", "glossary", "guide", "haiku", "handbook", "heading",
    "joke", "letter", "manual", "note", "outline", "paragraph", "poem", "presentation", "readme",
    "report", "slide", "spelling", "story", "summary", "talk", "test", "text", "title", "tutorial",
    "typo", "wording",
})  # fmt: skip

# What public post-mortems (danluu/post-mortems and the like) name as the trigger: destruction,
# deployment, access, how much at once, and the places where it hurts. Whole words, in any ending.
RISK_WORDS = frozenset({
    # destroys
    "delete", "remove", "drop", "truncate", "purge", "wipe", "erase", "destroy", "overwrite",
    "rm", "prune", "uninstall", "format", "terminate", "kill", "reset", "clean", "cleanup",
    # changes what runs
    "deploy", "release", "rollout", "roll", "rollback", "revert", "upgrade", "migrate", "migration",
    "patch", "restart", "reboot", "shutdown", "disable", "enable", "switch", "failover", "promote",
    "scale", "apply", "push", "merge", "publish", "ship", "install", "rename", "replace", "alter",
    # access and secrets
    "rotate", "revoke", "expire", "renew", "certificate", "cert", "credential", "credentials",
    "secret", "token", "password", "access", "permission", "grant",
    "chmod", "chown", "sudo", "root", "force",
    # how much at once
    "all", "every", "everyone", "entire", "unattended", "skip",
    # where it hurts
    "server", "node", "endpoint", "traffic", "customer",
    "prod", "production", "live", "primary", "master", "database", "db", "dns", "firewall", "bgp",
    "router", "network", "backup", "cluster", "cron", "config", "index",
})  # fmt: skip

_WORD = re.compile(r"[a-z]+")
# Said before the verb that counts.
_PREAMBLE = frozenset({
    "please", "can", "could", "would", "you", "we", "i", "will", "want", "need", "to", "let", "us",
    "lets", "s", "ll", "am", "going", "m", "now", "then", "just", "quickly",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gate says: open or shut, its score, and what the score is made of."""

    open: bool
    score: float
    reasons: tuple[str, ...]


def judge(
    text: str,
    *,
    failure_similarity: float,
    safe_similarity: float,
    best_words: float,
    crowd: float = 0.0,
) -> GateResult:
    """Weigh an intent.

    Similarities are cosines in [-1, 1]; `best_words`, from 0 on, is what its words share with the
    best failure; `crowd` is ln(failures / 100) among more than a hundred.
    """
    words = _WORD.findall(text.lower())
    risks = risk_words(words)
    score = failure_similarity - safe_similarity + _WORDS_WEIGHT * best_words
    score -= _CROWD * crowd
    reasons = [
        f"similarity to a past failure {failure_similarity:.2f}, to safe work {safe_similarity:.2f}"
    ]
    if start := harmless_start(words):
        score -= _CHANGES_NOTHING
        reasons.append(f"changes nothing: {start}")
    if risks:
        score += _RISK_WORD * min(len(risks), 2)
        reasons.append(f"risk words: {', '.join(risks)}")
    return GateResult(score >= THRESHOLD, score, tuple(reasons))


def harmless_start(words: list[str]) -> str:
    """Return what, at the start of the lower-case words, says that nothing changes, '' if none."""
    verb, *rest = list(dropwhile(_PREAMBLE.__contains__, words)) or [""]
    if verb in READ_ONLY_VERBS:
        return verb
    written = _known(rest[:_SOON], WRITINGS) if verb in _WRITING_VERBS else ()
    return f"{verb} {written[0]}" if written else ""


def risk_words(words: list[str]) -> tuple[str, ...]:
    """Return the distinct risk words among the lower-case words, in any common ending."""
    return _known(words, RISK_WORDS)


def _known(words: list[str], known: frozenset[str]) -> tuple[str, ...]:
    """Return the distinct known words among the given ones, in any common ending."""
    found = (next((stem for stem in _stems(word) if stem in known), None) for word in words)
    return tuple(dict.fromkeys(stem for stem in found if stem is not None))


def _stems(word: str) -> tuple[str, ...]:
    """Return the word and what it may be an ending of: delete <- deletes, deleted, deleting."""
    stems = [word]
    for ending in ("s", "es", "d", "ed", "ing"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            base = word[: -len(ending)]
            stems += [base, base + "e"]
            if len(base) > 3 and base[-1] == base[-2]:
                stems.append(base[:-1])
    return tuple(stems)
