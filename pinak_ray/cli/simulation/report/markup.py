"""HTML and SVG as a tree: what is put in as text can only come out as text."""

from xml.etree.ElementTree import Element, tostring

__all__ = ["Child", "element", "page"]

Child = Element | str | None


def element(tag: str, *children: Child, **attributes: str | float) -> Element:
    """Return an element; `class_` makes class, `aria_label` aria-label; None is no child."""
    named = {
        name.rstrip("_").replace("_", "-"): f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in attributes.items()
    }
    made = Element(tag, named)
    last: Element | None = None
    for child in children:
        if isinstance(child, Element):
            made.append(child)
            last = child
        elif child is not None and last is None:
            made.text = (made.text or "") + child
        elif child is not None and last is not None:
            last.tail = (last.tail or "") + child
    return made


def page(root: Element) -> str:
    """Return the document as HTML 5."""
    return "<!doctype html>\n" + tostring(root, encoding="unicode", method="html") + "\n"
