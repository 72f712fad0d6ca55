"""What several mappings may not do together: pure; each finding names the mapping it is about and a place in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sync.planning.links import link_problems, links_to
from sync.planning.mapping import LinkField, Mapping
from sync.planning.yaml_lines import Place


@dataclass(frozen=True, slots=True)
class Clash:
    """`unknown`: a link to a mapping that is not among them. `hint`: it works, not as one may expect."""

    mapping: str
    place: Place
    what: str
    fix: str
    unknown: bool = False
    hint: bool = False


def clashes(mappings: Sequence[Mapping], off: Collection[str] = ()) -> Iterator[Clash]:
    """Everything that is wrong between mappings that may each be right; `off` are further ones, switched off."""
    yield from _targets(mappings)
    by_name = {mapping.mapping: mapping for mapping in mappings}
    for name, what, fix in link_problems(mappings, off):
        unknown = "which there is none of" in what
        yield Clash(name, _link_place(by_name[name], what), what, fix, unknown=unknown)
    for mapping in mappings:
        for index, what, fix in links_to(mapping, off):
            yield Clash(mapping.mapping, ("fields", index, "mapping"), what, fix, hint=True)


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
            fix = "Map it once; switch the other one off if it is replaced."
            yield Clash(name, ("target", "resource"), what, fix)
        first.setdefault(resource, name)
