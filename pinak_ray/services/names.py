"""The names of the actors that the Supervisor starts; other names stand in `records.topology`."""

__all__ = ["CURATOR", "host_name", "indexer_name", "recaller_name", "writer_name"]

CURATOR = "curator"


def host_name(index: int) -> str:
    """Return the name of the index-th host."""
    return f"host-{index}"


def writer_name(index: int) -> str:
    """Return the name of the index-th writer."""
    return f"writer-{index}"


def indexer_name(index: int) -> str:
    """Return the name of the index-th indexer."""
    return f"indexer-{index}"


def recaller_name(index: int) -> str:
    """Return the name of the index-th recaller."""
    return f"recaller-{index}"
