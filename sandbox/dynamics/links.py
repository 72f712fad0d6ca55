"""Next links and delta links: opaque to clients, spelled as the service spells them (dataverse.md 1.1, 1.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import gmtime, strftime
from urllib.parse import quote, unquote
from zlib import crc32

from sandbox.dynamics.errors import Refused, bad
from sandbox.dynamics.values import parse_stamp


def expired() -> Refused:
    """The delta token is too old, or the table's metadata changed since (dataverse.md 1.4)."""
    return Refused(
        400,
        "0x80044352",
        "Version stamp associated with the client has expired. Please perform a full sync.",
    )


def invalid() -> Refused:
    """The delta token is none of ours."""
    return Refused(400, "0x80044183", "Invalid version stamp.")


@dataclass(frozen=True, slots=True)
class Cookie:
    """Where a paged read goes on.

    `last` is the last id delivered. Tracked reads also carry `since`, the version the delta starts after
    (0: full read), `upto`, the version they are anchored at, and for a delta `at`, the last version delivered, with
    `phase` rows or deletes.
    """

    page: int
    last: str = ""
    tracking: bool = False
    since: int = 0
    upto: int = 0
    at: int = 0
    phase: str = "rows"
    options: int = 0
    """Checksum of the path and the other options: a next link must come back unchanged (dataverse.md 1.3)."""


def checksum(path: str, kept: str) -> int:
    """What ties a cookie to its query."""
    return crc32(f"{path}?{kept}".encode())


def skip_token(cookie: Cookie) -> str:
    """`%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie…%253e%22%20istracking=%22True%22%20/%3E`."""
    inner = (
        f'<cookie page="{cookie.page - 1}" key="{cookie.options:08x}" since="{cookie.since}" upto="{cookie.upto}" '
        f'at="{cookie.at}" phase="{cookie.phase}"><id last="{{{cookie.last}}}" /></cookie>'
    )
    encoded = _lower(quote(inner, safe=""))
    outer = f'<cookie pagenumber="{cookie.page}" pagingcookie="{encoded}" istracking="{cookie.tracking}" />'
    return quote(outer, safe="=/")


_OUTER = re.compile(r'<cookie pagenumber="(\d{1,18})" pagingcookie="([^"]*)" istracking="(True|False)" />')
_INNER = re.compile(
    r'<cookie page="(\d{1,18})" key="([0-9a-f]{8})" since="(\d{1,18})" upto="(\d{1,18})" '
    r'at="(\d{1,18})" phase="(rows|deletes)"><id last="\{([^"]*)\}" /></cookie>'
)


def parse_skip_token(token: str, options: int) -> Cookie:
    """The cookie in a decoded `$skiptoken`; anything altered is refused."""
    outer = _OUTER.fullmatch(token)
    inner = _INNER.fullmatch(unquote(outer.group(2))) if outer else None
    if outer is None or inner is None:
        raise bad("The paging cookie in $skiptoken is malformed.", "0x80041129")
    page, key, since, upto, at, phase, last = inner.groups()
    if int(key, 16) != options or int(page) + 1 != int(outer.group(1)):
        raise bad("The query options of a next link must not be changed.", "0x80041129")
    return Cookie(
        int(page) + 1, last, outer.group(3) == "True", int(since), int(upto), int(at), phase, options
    )


def delta_token(version: int, now: float) -> str:
    """`919042%2108%2f22%2f2017%2008%3a10%3a44`."""
    moment = strftime("%m/%d/%Y %H:%M:%S", gmtime(now))
    return _lower(quote(f"{version}!{moment}", safe=""))


_DELTA = re.compile(r"(\d{1,18})!(\d\d)/(\d\d)/(\d{4}) (\d\d:\d\d:\d\d)")


def parse_delta_token(token: str) -> tuple[int, int]:
    """(version, unix seconds) of a decoded `$deltatoken`."""
    found = _DELTA.fullmatch(token)
    if found is None:
        raise invalid()
    version, month, day, year, time = found.groups()
    seconds = parse_stamp(f"{year}-{month}-{day}T{time}Z")
    if seconds is None:
        raise invalid()
    return int(version), seconds


def _lower(encoded: str) -> str:
    """Percent escapes in lower-case hex, as the service writes them."""
    return re.sub(r"%[0-9A-F]{2}", lambda found: found.group().lower(), encoded)
