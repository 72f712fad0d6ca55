"""The links of a mapping against the other mappings and the lookups in Dynamics: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from sync.cli.checks.finding import Finding, bad, good, warn
from sync.planning.links import link_problems, links_of, links_to, logical_name
from sync.planning.mapping import Mapping as MappingFile


def check_links(
    mapping: MappingFile,
    others: Sequence[MappingFile],
    lookups: Mapping[str, tuple[str, ...]],
    off: Collection[str] = (),
) -> Iterator[Finding]:
    """A line a link: its mapping exists, and its lookup may point to that mapping's table.

    `lookups` empty: they could not be read. `off`: mappings that are switched off.
    """
    area = f"Mapping {mapping.mapping}"
    problems = [(what, fix) for name, what, fix in link_problems(others, off) if name == mapping.mapping]
    for _, what, fix in links_to(mapping, off):
        yield warn(area, "links", what.rstrip("."), fix, "mapping_disabled")
    for what, fix in problems:
        yield bad(area, "links", what, fix, "mapping_invalid")
    wrong = list(astray(mapping, others, lookups))
    yield from wrong
    astray_ones = {finding.within for finding in wrong}
    known = {other.mapping for other in others}
    for link in links_of(mapping):
        if lookups and not problems and link.mapping in known and link.target not in astray_ones:
            yield good(area, f"link {link.target}", f"to {link.mapping} by {link.source}")


def astray(
    mapping: MappingFile, others: Sequence[MappingFile], lookups: Mapping[str, tuple[str, ...]]
) -> Iterator[Finding]:
    """Links whose lookup cannot point to the table of the mapping they name; `lookups` empty: not known."""
    tables = {other.mapping: other.source.table for other in others}
    for link in links_of(mapping) if lookups else ():
        table = tables.get(link.mapping)
        targets = lookups.get(logical_name(link.source), ())
        if table is not None and table not in targets:
            what = f"it points to {' or '.join(targets) or 'no table'}, mapping {link.mapping} sends {table}"
            fix = "Name the mapping whose table the lookup points to, or another lookup."
            area = f"Mapping {mapping.mapping}"
            yield bad(area, link.source, what, fix, "mapping_invalid", link.target)
