"""What the commands that write print."""

from pinak_ray.cli.console import print_json, stdout
from pinak_ray.records.memory.memories import Receipt

__all__ = ["show_receipt"]


def show_receipt(receipt: Receipt, *, as_json: bool, not_new: str = "known before") -> None:
    """Print a memory's receipt; `not_new` says what it means that nothing was changed."""
    if as_json:
        print_json({"id": receipt.id, "ack": receipt.ack, "new": receipt.new})
    else:
        stdout().print(f"{receipt.id}  {receipt.ack}{'' if receipt.new else f', {not_new}'}")
