"""The origin of an address, and whether credentials may go there."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from sync.errors import SyncError

_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """`scheme://host:port` in lower case; raises `insecure_url` unless https, or http to a loopback address."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise SyncError("insecure_url", "not a URL") from None
    if not host or parts.username is not None or parts.scheme not in _PORTS:
        raise SyncError("insecure_url", "not an https URL")
    if parts.scheme == "http" and not is_loopback(host):
        raise SyncError("insecure_url", "plain http to another machine")
    return f"{parts.scheme}://{host}:{port}"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
