"""A provider is an entry point: its name is the kind, and its factory makes the embedder."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from pinak_ray.embedding import EmbedderSpec, embed_queries, load_embedder
from pinak_ray.records.errors import SetupError


class Cohere(ThreadingHTTPServer):
    """Speaks as Cohere's `/v2/embed` does: a text's vector is its length, and one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str | None, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Cohere

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers.get("Authorization"), body))
        vectors = [[float(len(text)), 1.0] for text in body["texts"]]
        answer = json.dumps({"embeddings": {"float": vectors}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def cohere() -> Iterator[Cohere]:
    """Run an endpoint of Cohere's form for the test."""
    with Cohere() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


async def test_a_provider_is_found_by_its_name(cohere: Cohere) -> None:
    """It embeds in its own form: queries and memories are told apart, and the key travels."""
    spec = EmbedderSpec(
        kind="cohere", url=cohere.url, model="embed-v4", dimension=2, api_key="secret"
    )
    embedder = load_embedder(spec)
    vectors = await embedder.embed(["a", "bbb"])
    await embed_queries(embedder, ["cc"])
    await embedder.aclose()

    np.testing.assert_allclose(vectors[:, 0] / vectors[:, 1], [1, 3], rtol=1e-5)
    path, key, body = cohere.asked[0]
    assert (path, key) == ("/v2/embed", "Bearer secret")
    assert (body["model"], body["texts"]) == ("embed-v4", ["a", "bbb"])
    types = [asked["input_type"] for _, _, asked in cohere.asked]
    assert types == ["search_document", "search_query"]


def test_an_unknown_name_is_told_what_is_installed() -> None:
    """The message names the built-in embedders and those of installed packages."""
    with pytest.raises(SetupError, match=r"'cohre'; installed are: minilm, e5, openai, .*cohere"):
        load_embedder(EmbedderSpec(kind="cohre"))
