"""`/docs`: the OpenAPI document as one plain page, which runs nothing and loads nothing."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse

__all__ = ["serve_reference"]

# FastAPI's own page loads its script from another host, into a page where tokens are pasted.
_HEADERS = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}


def serve_reference(app: FastAPI) -> None:
    """Answer `/docs` with the reference page."""

    async def page(_: Request) -> HTMLResponse:
        return HTMLResponse("".join(_page(app.openapi())), headers=_HEADERS)

    app.add_route("/docs", page, include_in_schema=False)


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}")
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    yield f"<h1>{title}</h1><p>{escape(info['description'])}</p>"
    yield '<p>For programs: <a href="openapi.json">openapi.json</a>, with all schemas.</p>'
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p><dl>"
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(f"{method.upper()} {path}", operation)
        yield "</dl>"


def _operation(name: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<dt><code>{escape(name)}</code> {escape(operation['summary'])}"
    yield f"<dd><p>{escape(operation['description'])}</p><ul>"
    for parameter in operation.get("parameters", ()):
        said = f"{parameter['in']}: {parameter.get('description', '')}"
        yield f"<li><code>{escape(parameter['name'])}</code> {escape(said)}"
    for status, response in operation["responses"].items():
        yield f"<li>{escape(status)} {escape(response['description'])}"
    yield "</ul>"
