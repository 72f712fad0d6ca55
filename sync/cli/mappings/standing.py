"""How a mapping stands before another text of it becomes active: what is active beside it, and what it has sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sync.cli.mappings.files import MappingFile
from sync.cli.mappings.problems import Finder, Located
from sync.flows.context import Context
from sync.planning.load import MappingInvalid, load_mapping
from sync.planning.mapping import Mapping
from sync.planning.yaml_lines import Place


@dataclass(frozen=True)
class Beside:
    """The other mappings: those that are on, as far as their text can be read, and the names of those that are off."""

    on: tuple[Mapping, ...] = ()
    off: frozenset[str] = frozenset()


async def beside(context: Context, mine: Collection[str]) -> Beside:
    """What is stored besides the mappings named."""
    on: list[Mapping] = []
    off: set[str] = set()
    for version in await context.mappings.all():
        if version.mapping in mine:
            continue
        if not version.enabled:
            off.add(version.mapping)
            continue
        try:
            on.append(load_mapping(version.text))
        except MappingInvalid:
            continue
    return Beside(tuple(on), frozenset(off))


async def moved(context: Context, files: Sequence[MappingFile]) -> list[Located]:
    """Files that send another table, or to another resource or key, than what their mapping has sent already.

    The ledger knows records by id alone: those of the old table would be deleted as gone, and those of the old
    resource be looked for in the new one.
    """
    problems: list[Located] = []
    for file in files:
        stored = await context.mappings.active(file.mapping.mapping)
        if stored is None:
            continue
        try:
            before = load_mapping(stored.text)
        except MappingInvalid:
            continue
        changes = list(_changes(before, file.mapping))
        if changes and await _sent(context, file.mapping.mapping, stored.buckets):
            finder = Finder(file.text)
            for place, old in changes:
                what = f"it was `{old}`, and this mapping has sent records."
                fix = "Leave it as it was, or switch this mapping off and give the new one a name of its own."
                where = ".".join(map(str, place))
                problems.append(Located(file.name, finder.place(place), where, what, fix))
    return problems


def _changes(before: Mapping, after: Mapping) -> Iterator[tuple[Place, str]]:
    for place, old, new in (
        (("source", "table"), before.source.table, after.source.table),
        (("target", "resource"), before.target.resource, after.target.resource),
        (("target", "key"), before.target.key, after.target.key),
    ):
        if old != new:
            yield place, old


async def _sent(context: Context, mapping: str, buckets: int) -> bool:
    """Whether anything may be in Campaign: reads the ledger up to the first such row."""
    epoch = (await context.watermarks.progress(mapping)).epoch
    async for row in context.ledger.scan(mapping, epoch, range(buckets)):
        if row.hash or row.unresolved:
            return True
    return False
