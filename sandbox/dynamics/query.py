"""What a request asks for: query options, preferences, conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote_plus

from sandbox.dynamics.errors import bad

OPTIONS = frozenset(
    ("$select", "$filter", "$orderby", "$top", "$count", "$expand", "$skiptoken", "$deltatoken")
)


@dataclass(frozen=True, slots=True)
class Query:
    """The decoded options of one address."""

    options: Mapping[str, str]
    kept: str
    """The options as sent, without the tokens: what next and delta links carry on."""
    solution: str = ""
    """`SolutionUniqueName`, which CreateEntities takes."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Parameter aliases, `@name`; those in a $filter are filled in."""

    def __contains__(self, name: str) -> bool:
        return name in self.options

    def get(self, name: str) -> str | None:
        """A decoded option."""
        return self.options.get(name)


@lru_cache(maxsize=256)
def parse_query(raw: str) -> Query:
    """Splits a raw query; `+` is a space; an unknown, repeated or empty option is refused."""
    options: dict[str, str] = {}
    aliases: dict[str, str] = {}
    kept = []
    solution = ""
    for part in raw.split("&") if raw else ():
        name, mark, value = part.partition("=")
        name = unquote_plus(name)
        if name == "SolutionUniqueName" and not solution:
            solution = unquote_plus(value)
            continue
        if re.fullmatch(r"@\w+", name) and name not in aliases:
            aliases[name] = unquote_plus(value)
            kept.append(part)
            continue
        if name not in OPTIONS:
            raise bad(f"The query parameter {name} is not supported")
        if name in options:
            raise bad(
                f"Query option '{name}' was specified more than once, but it must be specified at most once."
            )
        options[name] = unquote_plus(value)
        if not mark or not options[name].strip():
            raise bad(f"The value for OData query '{name}' cannot be empty.")
        if name not in ("$skiptoken", "$deltatoken"):
            kept.append(part)
    if aliases and "$filter" in options:
        options["$filter"] = re.sub(
            r"@\w+", lambda found: aliases.get(found[0], found[0]), options["$filter"]
        )
    return Query(options, "&".join(kept), solution, aliases)


@dataclass(frozen=True, slots=True)
class Preferences:
    """The Prefer header."""

    track_changes: bool = False
    max_page: int | None = None
    annotations: tuple[str, ...] = ()
    representation: bool = False
    continue_on_error: bool = False
    sent: Mapping[str, str] = field(default_factory=dict)
    """Each understood preference as sent, for Preference-Applied."""


_PREFERENCE = re.compile(r'\s*([\w.\-]+)(?:\s*=\s*("[^"]*"|[^,;]*))?\s*(?:;[^,]*)?(?:,|$)')


@lru_cache(maxsize=256)
def parse_prefer(header: str) -> Preferences:
    """Preferences in any order; unknown ones are ignored, as RFC 7240 says."""
    track, size = False, None
    annotations: tuple[str, ...] = ()
    representation = continue_on_error = False
    sent: dict[str, str] = {}
    for found in _PREFERENCE.finditer(header):
        name, value = found.group(1), (found.group(2) or "").strip().strip('"')
        if name == "odata.track-changes":
            track = True
        elif name == "odata.maxpagesize":
            if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) > 0):
                raise bad(f"The odata.maxpagesize preference must be a positive number, not '{value[:20]}'.")
            size = int(value)
        elif name == "odata.include-annotations":
            annotations = tuple(part.strip() for part in value.split(","))
        elif name == "return":
            representation = value == "representation"
        elif name == "odata.continue-on-error":
            continue_on_error = True
        else:
            continue
        sent[name] = found.group(0).strip().rstrip(",")
    return Preferences(track, size, annotations, representation, continue_on_error, sent)


@dataclass(frozen=True, slots=True)
class Call:
    """One operation on the service root, alone or as part of a batch."""

    method: str
    path: str
    """Decoded, relative to the service root, without a leading slash."""
    query: Query
    headers: Mapping[str, str]
    body: bytes
    root: str
    """`{origin}/api/data/v9.2` as links spell it."""
    references: Mapping[str, str] = field(default_factory=dict)
    """Content-ID -> address, inside a change set."""

    @property
    def prefer(self) -> Preferences:
        return parse_prefer(self.headers.get("prefer", ""))
