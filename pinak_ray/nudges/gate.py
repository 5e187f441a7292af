"""The gate: is this intent risky enough to look for a warning?

    score = max cosine(intent, failures) - max cosine(intent, safe prototypes)
          - 0.12 [the first verb is read-only]
          + 0.03 min(risk words, 2) + 0.02 min(best BM25 / 5, 1)

and it opens at 0.15. The form comes from a study of 194 labelled intents, where with its own
constants it reached .92 precision and .92 recall on the half that it had not seen; risk words alone
reached .61 and .50.
"""

import re
from dataclasses import dataclass

__all__ = ["READ_ONLY_VERBS", "RISK_WORDS", "SAFE_PROTOTYPES", "THRESHOLD", "GateResult", "judge"]

# The study had 0.17 with an evidence floor of 0.40; 0.15 with 0.45 lets the evidence decide more.
THRESHOLD = 0.15

# What harmless work says of itself; embedded once. From the same study as the formula.
SAFE_PROTOTYPES = (
    "read, explain, summarise or describe",
    "write documentation or notes",
    "write or run unit tests locally",
    "list, show, count or look",
    "change wording, style, colours or layout",
    "format, lint or rename locally",
    "translate or proofread",
    "plan a meeting",
)

# Whoever starts with one of these changes nothing. The study's list, both spellings, and the verbs
# of preparing and checking.
READ_ONLY_VERBS = frozenset({
    "calculate", "check", "compare", "count", "describe", "draft", "estimate", "explain", "find",
    "format", "inspect", "list", "look", "outline", "plan", "plot", "prepare", "print", "proofread",
    "read", "recommend", "review", "search", "show", "suggest", "summarise", "summarize", "tell",
    "translate", "view",
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
    text: str, *, failure_similarity: float, safe_similarity: float, best_bm25: float
) -> GateResult:
    """Weigh an intent. Similarities are cosines in [-1, 1]; `best_bm25` is over failures, >= 0."""
    words = _WORD.findall(text.lower())
    verb = first_verb(words)
    risks = risk_words(words)
    score = failure_similarity - safe_similarity
    reasons = [
        f"similarity to a past failure {failure_similarity:.2f}, to safe work {safe_similarity:.2f}"
    ]
    if verb in READ_ONLY_VERBS:
        score -= 0.12
        reasons.append(f"read-only verb: {verb}")
    if risks:
        score += 0.03 * min(len(risks), 2)
        reasons.append(f"risk words: {', '.join(risks)}")
    score += 0.02 * min(best_bm25 / 5, 1.0)
    return GateResult(score >= THRESHOLD, score, tuple(reasons))


def first_verb(words: list[str]) -> str:
    """Return the first of the lower-case words that is no preamble, '' if there is none."""
    return next((word for word in words if word not in _PREAMBLE), "")


def risk_words(words: list[str]) -> tuple[str, ...]:
    """Return the distinct risk words among the lower-case words, in any common ending."""
    found = (next((stem for stem in _stems(word) if stem in RISK_WORDS), None) for word in words)
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
