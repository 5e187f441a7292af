"""Body and answer of `/v1/recall/grade`."""

from typing import Any

from pydantic import ConfigDict, Field

from pinak_ray.records.limits import MAX_K
from pinak_ray.records.memory.grades import GradeRequest, new_grade
from pinak_ray.serve.v1.models.base import Body, IdField, NameField, QuestionField

__all__ = ["GradeBody"]

_EXAMPLE: dict[str, Any] = {
    "query": "which port does the API gateway listen on?",
    "memory_ids": ["01990000-0000-7000-8000-000000000000"],
    "answer": "port 8443",
}


class GradeBody(Body):
    """A question, what was recalled for it, and what was answered."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    query: QuestionField = Field(description="The question; at most 8 KiB of UTF-8.")
    memory_ids: list[IdField] = Field(
        max_length=MAX_K, description="The memories that a recall brought; none is incorrect."
    )
    answer: QuestionField | None = Field(
        None, description="What was answered from them; at most 8 KiB of UTF-8."
    )
    agent: NameField | None = Field(None, description="Who asks; the token's subject if absent.")

    def request(self) -> GradeRequest:
        """Return the checked request; raises InvalidInput."""
        return new_grade(self.query, self.memory_ids, answer=self.answer)
