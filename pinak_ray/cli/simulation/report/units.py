"""Figures as people read them; the same on the terminal and in the report."""

__all__ = ["MEBIBYTE", "count", "mebibytes", "milliseconds", "per_second"]

MEBIBYTE = 2**20


def count(value: float) -> str:
    """Return a whole number with separators."""
    return f"{value:,.0f}"


def per_second(value: float) -> str:
    """Return a rate; small ones keep a digit after the point."""
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:,.1f}"


def milliseconds(value: float | None) -> str:
    """Return a duration with two digits that count; nothing measured is a dash."""
    if value is None:
        return "–"
    amount, unit = (value / 1000, "s") if value >= 1_000 else (value, "ms")
    return f"{amount:,.0f} {unit}" if amount >= 10 else f"{amount:.2g} {unit}"


def mebibytes(value: float) -> str:
    """Return an amount of memory, given in MiB."""
    return f"{value:,.0f} MiB"
