"""A finding as a value: what is known of one content."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from pydantic import ValidationError

from pinak_ray.agents.log.drafts import Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.language.wording import normalised
from pinak_ray.records.board.findings import FindingDetails, FindingType, Source
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import MAX_LABELS, check_details
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["Finding", "finding_id", "finding_with", "findings_of", "united"]

_FINDINGS = UUID("6f0a4b2e-3b5c-5d1e-9a51-0c3a5d1f8e01")
_TYPES = list(FindingType)


class Finding(NamedTuple):
    """A finding's entry, and its details as they are or shall be."""

    entry: Entry
    details: FindingDetails

    def draft(self) -> Draft:
        """Return its entry as it shall be; it stays its first author's."""
        return Draft(
            EntryKind.FINDING,
            self.entry.content,
            self.details.model_dump(mode="json", exclude_defaults=True),
            self.entry.id,
            expires_at=self.entry.expires_at,
            author=self.entry.author,
        )


def finding_id(content: str) -> UUID:
    """Return the id of the one finding that has this content on a board."""
    return uuid5(_FINDINGS, normalised(content))


def finding_with(log: EntryLog, id_: UUID, now: datetime) -> Finding:
    """Return the finding of this id; raises NotFound."""
    return _finding_of(log.get(EntryKind.FINDING, id_, now=now))


def findings_of(log: EntryLog, now: datetime) -> list[Finding]:
    """Return all findings, in the order of their first post."""
    return [_finding_of(entry) for entry in log.of_kind(EntryKind.FINDING, now=now)]


def united(held: FindingDetails, posted: FindingDetails, author: str) -> FindingDetails:
    """Return what both say, the same in whichever order they came; `author` is the held one's.

    Raises InvalidInput where that is too much.
    """
    questions = {*held.questions, *posted.questions}
    if len(questions) > MAX_LABELS:
        raise InvalidInput(f"a finding bears on {MAX_LABELS} questions at most")
    own = {**(posted.model_extra or {}), **(held.model_extra or {})}
    check_details(own)
    finders = {*held.found_by, *posted.found_by} - {author}
    return FindingDetails(
        type=max(held.type, posted.type, key=_TYPES.index),
        confidence=max(held.confidence, posted.confidence),
        verified=held.verified or posted.verified,
        sources=_united_sources(held.sources + posted.sources),
        questions=tuple(sorted(questions)),
        found_by=tuple(sorted(finders)[:MAX_LABELS]),
        contradicts=held.contradicts,
        refuted_by=held.refuted_by,
        **own,
    )


def _united_sources(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Return one source a URL; of many, and of titles, those that come first in the alphabet."""
    titles: dict[str, set[str]] = {}
    for source in sources:
        titles.setdefault(source.url, set()).update({source.title} - {None})  # type: ignore[arg-type]
    kept = sorted(titles)[:MAX_LABELS]
    return tuple(Source(url=url, title=min(titles[url], default=None)) for url in kept)


def _finding_of(entry: Entry) -> Finding:
    try:
        return Finding(entry, FindingDetails.model_validate_json(entry.encoded_details))
    except ValidationError:
        # Posted before findings had these fields, with details of the same names.
        own = {k: v for k, v in entry.details.items() if k not in FindingDetails.model_fields}
        return Finding(entry, FindingDetails(**own))
