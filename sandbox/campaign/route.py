"""Reads a request target: endpoint family, resource, what follows it, and the query.

Segments are split after decoding, because Adobe's own client sends `/` as `%2F` (adobe.md C.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from sandbox.campaign.catalogue import FAMILIES
from sandbox.campaign.schema import Resource

TOKEN_PATH = "/ims/token/v3"


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes; `family` is empty for a path outside the engine's three families."""

    family: str = ""
    name: str = ""
    """The first segment after the family: a resource, `resourceType`, or nothing for the catalogue."""
    rest: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    resource: Resource | None = None
    """The resource, if this family publishes it."""


def published(resources: Mapping[str, Resource], family: str, name: str) -> Resource | None:
    """The resource of a name, if the family publishes it."""
    found = resources.get(name)
    return found if found is not None and family in found.families else None


def read_route(target: str, org: str, resources: Mapping[str, Resource]) -> Route | None:
    """The route of a target under `/<org>/campaign/`, else None; empty segments do not count."""
    path, _, query = target.partition("?")
    if "%" in path:
        path = unquote(path)
    segments = [segment for segment in path.split("/") if segment]
    if len(segments) < 2 or segments[0] != org or segments[1] != "campaign":
        return None
    parameters = tuple(parse_qsl(query, keep_blank_values=True)) if query else ()
    if len(segments) < 3 or segments[2] not in FAMILIES:
        return Route(query=parameters)
    family = segments[2]
    name = segments[3].removesuffix(".json") if len(segments) > 3 else ""
    return Route(family, name, tuple(segments[4:]), parameters, published(resources, family, name))
