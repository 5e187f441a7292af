"""Batches over HTTP: each item is checked, carried and answered on its own."""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog

from pinak_ray.records.errors import PinakError
from pinak_ray.records.memory.memories import Receipt
from pinak_ray.records.wiring import Operation
from pinak_ray.serve.context import AppContext
from pinak_ray.serve.v1.answers import receipt_answer, receipt_status
from pinak_ray.serve.v1.problems import problem_body, problem_of

__all__ = ["fates"]

_log = structlog.get_logger()


async def fates(
    context: AppContext,
    items: Sequence[Operation[Receipt] | PinakError],
    *,
    instance: str,
) -> list[dict[str, Any]]:
    """Return each item's status with its receipt or its problem, in the order of the items.

    An item that was refused while it was built is given as its error and is not sent.
    """

    async def settle(item: Operation[Receipt] | PinakError) -> dict[str, Any]:
        if isinstance(item, PinakError):
            return _refused(item, instance=instance)
        try:
            receipt = await context.send(item)
        except PinakError as error:
            return _refused(error, instance=instance)
        except Exception:
            _log.exception("batch_item_failed")
            body = problem_body(500, "internal", "an unexpected error", instance=instance)
            return {"status": 500, "problem": body}
        return {"status": receipt_status(receipt), "receipt": receipt_answer(receipt)}

    return await asyncio.gather(*map(settle, items))


def _refused(error: PinakError, *, instance: str) -> dict[str, Any]:
    return {"status": error.status, "problem": problem_of(error, instance=instance)}
