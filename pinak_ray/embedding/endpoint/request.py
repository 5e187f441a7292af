"""One request of an endpoint, and what its failure says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from pinak_ray.records.errors import SetupError
from pinak_ray.records.proxies import proxies_of

__all__ = ["Endpoint", "EndpointError"]

# What an endpoint says to a text that it will never take, and to more texts than it takes at once.
_MAY_BE_A_TEXT: Final = frozenset({400, 413, 422})
_MEND: Final = {
    401: "set {0}_API_KEY or {0}_API_KEY_FILE",
    402: "see to the account behind the key",
    403: "may the key of {0}_API_KEY use this model?",
    404: "are {0}_URL and {0}_MODEL right?",
}
_MOST_WORDS: Final = 200


class EndpointError(Exception):
    """A request failed. `may_be_text`: one of its texts, or their number, may be why.

    `may_pass`: the same request may succeed at once, since a connection broke or a server was busy;
    `is_late`: no answer came in time.
    """

    def __init__(
        self,
        words: str,
        *,
        may_be_text: bool = False,
        may_pass: bool = False,
        is_late: bool = False,
        retry_after_s: float = 0.0,
    ) -> None:
        super().__init__(words)
        self.words = words
        self.may_be_text = may_be_text
        self.may_pass = may_pass
        self.is_late = is_late
        self.retry_after_s = retry_after_s


class Endpoint:
    """Asks `url`, the whole address; `settings` begins the names of those that set it up."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None,
        key_file: Path | None,
        settings: str = "PINAK_EMBEDDING",
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise SetupError(f"{settings}_URL must start with http:// or https://")
        self.url = url
        self._settings = settings
        self._key = key
        self._key_file = key_file
        # A proxy that the environment names is for what lies beyond this machine.
        self._client = httpx.AsyncClient(**proxies_of(self.url))

    @property
    def shown(self) -> str:
        """The address without a password."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    @property
    def is_closed(self) -> bool:
        """Whether `aclose` was called."""
        return self._client.is_closed

    async def post(self, body: Mapping[str, Any], *, timeout_s: float) -> Any:
        """Return the JSON of the answer; raises EndpointError."""
        key = self._read_key()
        headers = {"Authorization": f"Bearer {key}"} if key else None
        try:
            response = await self._client.post(
                self.url, json=body, headers=headers, timeout=timeout_s
            )
        except httpx.ConnectError as error:
            raise EndpointError(
                f"{self.shown} cannot be reached ({error}); does it run, and is "
                f"{self._settings}_URL right?",
                may_pass=True,
            ) from error
        except httpx.ReadTimeout as error:
            words = f"{self.shown} did not answer within {timeout_s:g} s"
            raise EndpointError(words, may_be_text=True, is_late=True) from error
        except httpx.TransportError as error:
            words = f"{self.shown} failed: {type(error).__name__}: {error}"
            raise EndpointError(words, may_pass=True) from error
        if response.status_code != 200:
            raise self._refusal(response, key)
        try:
            return response.json()
        except ValueError as error:
            raise EndpointError("it did not answer in JSON") from error

    async def aclose(self) -> None:
        """Close the connections; a second call does nothing."""
        await self._client.aclose()

    def _read_key(self) -> str | None:
        if self._key_file is None:
            return self._key
        try:
            return self._key_file.read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            raise EndpointError(
                f"the key's file {self._key_file} cannot be read: {error}; see "
                f"{self._settings}_API_KEY_FILE"
            ) from error

    def _refusal(self, response: httpx.Response, key: str | None) -> EndpointError:
        status = response.status_code
        said = _said(response)
        if key:  # some endpoints repeat it
            said = said.replace(key, "***")
        mend = f"; {_MEND[status].format(self._settings)}" if status in _MEND else ""
        return EndpointError(
            f"HTTP {status} {said[:_MOST_WORDS]}".rstrip() + mend,
            # Some servers fail at a text that is too long (500), where others refuse it.
            may_be_text=status in _MAY_BE_A_TEXT or status >= 500,
            may_pass=status == 429 or status >= 500,
            retry_after_s=_retry_after_s(response),
        )


def _said(response: httpx.Response) -> str:
    """Return the message of an error's body in one line: OpenAI's form, others' forms, or text."""
    text: Any = response.text
    try:
        body = response.json()
    except ValueError:
        body = None
    while isinstance(body, dict):
        body = next((body[name] for name in ("error", "message", "detail") if name in body), None)
    if isinstance(body, str):
        text = body
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _retry_after_s(response: httpx.Response) -> float:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else 0.0
