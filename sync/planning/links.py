"""What links may not do together over all mappings: point nowhere, or be required in a circle."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from sync.planning.mapping import LinkField, Mapping


def logical_name(column: str) -> str:
    """The column's name in Dynamics' metadata: a lookup is read as `_name_value`."""
    lookup = column.startswith("_") and column.endswith("_value")
    return column[1 : -len("_value")] if lookup else column


def links_of(mapping: Mapping) -> tuple[LinkField, ...]:
    """The link fields of a mapping."""
    return tuple(field for field in mapping.fields if isinstance(field, LinkField))


def link_problems(mappings: Sequence[Mapping], off: Collection[str] = ()) -> Iterator[tuple[str, str, str]]:
    """(mapping, what, fix) of every link that cannot work among these mappings and those that are switched `off`."""
    names = {mapping.mapping for mapping in mappings}
    for mapping in mappings:
        for field in links_of(mapping):
            if field.mapping not in names and field.mapping not in off:
                what = f"`{field.target}` points to mapping `{field.mapping}`, which there is none of."
                yield mapping.mapping, what, f"Use one of: {', '.join(sorted(names))}."
    for cycle in required_cycles(mappings):
        told = " → ".join((*cycle, cycle[0]))
        what = f"required links form a cycle: {told}. No record of it could be the first in Campaign."
        yield cycle[0], what, "Leave `required: true` out of one of these links."


def links_to(mapping: Mapping, off: Collection[str]) -> Iterator[tuple[int, str, str]]:
    """(place among the fields, what, fix) of every link of a mapping to one that is switched off."""
    for index, field in enumerate(mapping.fields):
        if isinstance(field, LinkField) and field.mapping in off:
            what = f"`{field.target}` points to mapping `{field.mapping}`, which is switched off: "
            what += (
                "records whose parent it has not sent wait."
                if field.required
                else "records whose parent it has not sent go without the link."
            )
            yield index, what, f"`python -m sync mappings enable {field.mapping}`, if they should have it."


def required_cycles(mappings: Iterable[Mapping]) -> list[tuple[str, ...]]:
    """Each group of mappings that wait for each other, as one shortest cycle from its first name on; sorted."""
    parents = {
        mapping.mapping: sorted({field.mapping for field in links_of(mapping) if field.required})
        for mapping in mappings
    }
    found: list[tuple[str, ...]] = []
    told: set[str] = set()
    for name in sorted(parents):
        if name not in told and (cycle := _way_back(name, parents)):
            found.append(cycle)
            told.update(cycle)
    return found


def _way_back(name: str, parents: dict[str, list[str]]) -> tuple[str, ...]:
    """The shortest way from a mapping over its required links back to itself, or nothing."""
    ways: list[tuple[str, ...]] = [(name,)]
    seen: set[str] = set()
    for way in ways:
        for parent in parents.get(way[-1], ()):
            if parent == name:
                return way
            if parent not in seen:
                seen.add(parent)
                ways.append((*way, parent))
    return ()
