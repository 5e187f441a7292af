"""Proxies of the user's environment: never on the way to this machine, and named when they fail."""

import os
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

__all__ = ["is_here", "proxies_of", "through"]


def is_here(url: str) -> bool:
    """Tell whether the URL names this machine itself, which no proxy can reach for us."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def proxies_of(url: str) -> Mapping[str, Any]:
    """Return httpx's option for this URL: whether it may look for proxies."""
    return {"trust_env": not is_here(url)}


def through(url: str) -> str:
    """Return words on the proxy that stands before this URL, by its variable's name, or ""."""
    parts = urlsplit(url)
    if is_here(url) or proxy_bypass(parts.hostname or ""):
        return ""
    proxies = getproxies()
    scheme = next((each for each in (parts.scheme, "all") if each in proxies), None)
    if scheme is None:
        return ""
    name = f"{scheme}_proxy"
    name = name if os.environ.get(name) else name.upper()
    return f" (through the proxy that {name} names; NO_PROXY={parts.hostname} goes past it)"
