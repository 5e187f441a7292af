"""Body and answers of `/v1/curation`."""

from pydantic import ConfigDict, Field

from pinak_ray.records.memory.curation import CurationPolicy, CurationReport
from pinak_ray.serve.v1.models.base import Answer, Body

__all__ = ["CurateBody", "CurationAnswer"]


class CurateBody(Body):
    """A pass of the Curator."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"dry_run": True}]})

    dry_run: bool = Field(True, description="Only say what a pass would do.")


class CurationAnswer(Answer):
    """What the Curator may do in a namespace, and what it did."""

    policy: CurationPolicy
    archived: int = Field(description="How many memories can be restored.")
    last: CurationReport | None = Field(description="Null before the first pass.")
