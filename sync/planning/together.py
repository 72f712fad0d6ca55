"""What several mappings may not do together: pure; each finding names the mapping it is about and a place in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sync.planning.links import link_problems
from sync.planning.mapping import LinkField, Mapping
from sync.planning.yaml_lines import Place

Clash = tuple[str, Place, str, str]
"""Mapping, place, what, fix."""


def clashes(mappings: Sequence[Mapping]) -> Iterator[Clash]:
    """Everything that is wrong between mappings that may each be right."""
    yield from _targets(mappings)
    by_name = {mapping.mapping: mapping for mapping in mappings}
    for name, what, fix in link_problems(mappings):
        yield name, _link_place(by_name[name], what), what, fix


def _link_place(mapping: Mapping, what: str) -> Place:
    """The link that a finding names, or the first one that is required."""
    links = [(index, field) for index, field in enumerate(mapping.fields) if isinstance(field, LinkField)]
    named = [index for index, field in links if f"`{field.target}`" in what]
    required = [index for index, field in links if field.required]
    return ("fields", (named or required)[0], "mapping")


def _targets(mappings: Sequence[Mapping]) -> Iterator[Clash]:
    """Two mappings of one resource would each delete, in a sweep or by hand, what the other has sent."""
    first: dict[str, str] = {}
    for mapping in sorted(mappings, key=lambda mapping: mapping.mapping):
        resource, name = mapping.target.resource, mapping.mapping
        if resource in first:
            what = f"`{resource}` is already the target of mapping {first[resource]}."
            yield (
                name,
                ("target", "resource"),
                what,
                "Map it once; switch the other one off if it is replaced.",
            )
        first.setdefault(resource, name)
