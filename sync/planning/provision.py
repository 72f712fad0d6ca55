"""What set-up wants in a Dynamics environment, and the steps from what is there to that: pure (dataverse.md 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sync.planning.activities import ActivityColumn, Events, Granularity

SUBJECT_LENGTH = 200
"""`Campaign Name: …; Delivery Name: …`; Campaign's internal names are far shorter."""
ROLE_COMPONENT = 20
WRITES = (
    "prvCreateActivity",
    "prvReadActivity",
    "prvWriteActivity",
    "prvAppendActivity",
    "prvAppendToContact",
)
"""Custom activities have no privileges of their own; regarding a contact appends to it (dataverse.md 4.1, 4.5)."""
LOOKS = (
    "prvReadEntity", "prvReadAttribute", "prvReadRelationship", "prvReadOrganization", "prvReadUser",
    "prvReadSdkMessage", "prvReadSdkMessageFilter",
)  # fmt: skip
"""What `doctor` and the start of a worker read; names are not documented in one place, so given where they exist."""
DEPTHS = ("Basic", "Local", "Deep", "Global")
FITS = {
    "text": ("String", "Memo"),
    "url": ("String", "Memo"),
    "datetime": ("DateTime",),
    "integer": ("Integer", "BigInt"),
}
"""Dataverse column types that take a field."""


class StepKind(StrEnum):
    """In the order they are carried out."""

    PUBLISHER = "publisher"
    SOLUTION = "solution"
    TABLE = "table"
    COLUMN = "column"
    ROLE = "role"
    PRIVILEGES = "privileges"
    IN_SOLUTION = "in_solution"
    PUBLISH = "publish"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class WantedTable:
    """One activity table of the file."""

    name: str
    entity_set: str
    display_name: str
    columns: tuple[ActivityColumn, ...]


@dataclass(frozen=True, slots=True)
class Desired:
    """The state that set-up leads to."""

    publisher: str
    publisher_name: str
    prefix: str
    option_value_prefix: int
    solution: str
    solution_name: str
    role: str
    tables: tuple[WantedTable, ...]
    privileges: tuple[str, ...]
    """Needed at organization level."""
    helpful: tuple[str, ...] = LOOKS

    @property
    def note(self) -> str:
        """Marks a solution as complete: written last, so that a run that broke off is seen."""
        digest = hashlib.blake2b(repr(self).encode(), digest_size=6).hexdigest()
        return f"Set up by `python -m sync setup dynamics`, state {digest}."


@dataclass(frozen=True, slots=True)
class FoundColumn:
    type: str
    length: int = 0


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table as the environment has it."""

    activity: bool
    entity_set: str
    columns: Mapping[str, FoundColumn]


@dataclass(frozen=True, slots=True)
class Found:
    """What is there. Empty ids: not there."""

    publisher_id: str = ""
    prefix: str = ""
    solution_id: str = ""
    solution_publisher: str = ""
    note: str = ""
    tables: Mapping[str, FoundTable] = field(default_factory=dict)
    role_id: str = ""
    role_in_solution: bool = False
    held: Mapping[str, str] = field(default_factory=dict)
    """Privilege → depth, of the role."""
    known: Mapping[str, str] = field(default_factory=dict)
    """Privilege → id, of those wanted that the environment has."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; `text` says it to a person."""

    kind: StepKind
    text: str
    table: WantedTable | None = None
    column: ActivityColumn | None = None
    privileges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something a person must decide first."""

    what: str
    fix: str


def desired(events: Events, *, read_tables: Iterable[str] = (), write_contacts: bool = False) -> Desired:
    """What the file asks for. `read_tables`: tables of mappings; `write_contacts`: consent goes to Dynamics."""
    single = events.options.granularity is Granularity.PER_DELIVERY
    tables = tuple(
        WantedTable(table.table, table.entity_set, table.display_name, table.all_columns())
        for kind, table in events.tables.all()
        if (kind == "send" if single else table.enabled)
    )
    privileges = [*WRITES, *(f"prvRead{table.capitalize()}" for table in sorted({*read_tables, "contact"}))]
    if write_contacts:
        privileges.append("prvWriteContact")
    tasks = events.follow_up_tasks
    if events.options.owner is not None or tasks.click.enabled or tasks.hard_bounce.enabled:
        privileges.append("prvAssignActivity")
    if events.options.retention_months:
        privileges.append("prvDeleteActivity")
    return Desired(
        publisher=events.publisher.unique_name,
        publisher_name=events.publisher.display_name,
        prefix=events.publisher.prefix,
        option_value_prefix=events.publisher.option_value_prefix,
        solution=events.solution.unique_name,
        solution_name=events.solution.display_name,
        role=events.role,
        tables=tables,
        privileges=tuple(privileges),
    )


def steps(want: Desired, found: Found) -> list[Step]:
    """What is left to do; empty where everything is there."""
    todo = [*_home(want, found), *_tables(want, found), *_role(want, found)]
    if todo or found.note != want.note:
        names = ", ".join(table.name for table in want.tables)
        todo.append(Step(StepKind.PUBLISH, f"publish {names}"))
        todo.append(Step(StepKind.NOTE, f"note in solution {want.solution} that it is complete"))
    return todo


def _home(want: Desired, found: Found) -> Iterator[Step]:
    if not found.publisher_id:
        yield Step(StepKind.PUBLISHER, f"create publisher {want.publisher} (prefix {want.prefix})")
    if not found.solution_id:
        yield Step(StepKind.SOLUTION, f"create solution {want.solution}")


def _tables(want: Desired, found: Found) -> Iterator[Step]:
    for table in want.tables:
        there = found.tables.get(table.name)
        if there is None:
            yield Step(StepKind.TABLE, f"create activity table {table.name} ({table.display_name})", table)
        for column in table.columns:
            if there is None or column.name not in there.columns:
                length = f", {column.length} characters" if column.length else ""
                text = f"create column {table.name}.{column.name} ({column.label}: {column.type}{length})"
                yield Step(StepKind.COLUMN, text, table, column)


def _role(want: Desired, found: Found) -> Iterator[Step]:
    if not found.role_id:
        yield Step(StepKind.ROLE, f"create security role {want.role}")
    missing = missing_privileges(want.privileges, found.held)
    missing += [name for name in missing_privileges(want.helpful, found.held) if _id(found.known, name)]
    if missing:
        text = f"give role {want.role} at organization level: {', '.join(missing)}"
        yield Step(StepKind.PRIVILEGES, text, privileges=tuple(missing))
    if not found.role_in_solution:
        yield Step(StepKind.IN_SOLUTION, f"put role {want.role} into solution {want.solution}")


def missing_privileges(wanted: Iterable[str], held: Mapping[str, str]) -> list[str]:
    """Those that are not held at organization level; names compare without case."""
    whole = {name.casefold() for name, depth in held.items() if depth == DEPTHS[-1]}
    return [name for name in wanted if name.casefold() not in whole]


def obstacles(want: Desired, found: Found) -> list[Obstacle]:
    """What stands against the plan; nothing is done before all of it is gone."""
    return [
        *_names(want, found),
        *(one for table in want.tables for one in table_obstacles(want, table, found)),
    ]


def _names(want: Desired, found: Found) -> Iterator[Obstacle]:
    if found.publisher_id and found.prefix != want.prefix:
        what = (
            f"publisher {want.publisher} exists with the prefix {found.prefix}, the file says {want.prefix}"
        )
        yield Obstacle(what, f"Write `prefix: {found.prefix}`, or another `unique_name`, under publisher.")
    if found.solution_id and found.publisher_id and found.solution_publisher != found.publisher_id:
        what = f"solution {want.solution} exists and belongs to another publisher"
        yield Obstacle(what, "Write another `unique_name` under solution, or the name of that publisher.")
    for name in want.privileges:
        if not _id(found.known, name):
            what = f"this environment has no privilege {name}"
            yield Obstacle(what, "Correct the table names in the mappings; names are logical names.")


def table_obstacles(want: Desired, table: WantedTable, found: Found) -> Iterator[Obstacle]:
    """What is wrong with a table, or keeps it from being created."""
    there = found.tables.get(table.name)
    ours = table.name.startswith(f"{want.prefix}_")
    if there is None:
        if not ours:
            what = f"table {table.name} does not exist, and its prefix is not {want.prefix}"
            yield Obstacle(
                what, "Correct `table`, or install the app it comes from; only own tables are created."
            )
    elif not there.activity:
        yield Obstacle(f"table {table.name} exists and is no activity table", "Name another table.")
    elif there.entity_set != table.entity_set:
        what = f"the entity set of {table.name} is {there.entity_set}, the file says {table.entity_set}"
        yield Obstacle(what, f"Write `entity_set: {there.entity_set}`.")
    for column in table.columns:
        yield from _column(want, table, column, there)


def _column(
    want: Desired, table: WantedTable, column: ActivityColumn, there: FoundTable | None
) -> Iterator[Obstacle]:
    name = f"{table.name}.{column.name}"
    known = there.columns.get(column.name) if there is not None else None
    if known is None:
        if not column.name.startswith(f"{want.prefix}_"):
            what = f"column {name} does not exist, and its prefix is not {want.prefix}"
            yield Obstacle(what, "Correct its name, or take its line out: that field is then not written.")
    elif known.type not in FITS[column.type]:
        what = f"column {name} is of type {known.type}, {column.field} needs {FITS[column.type][0]}"
        yield Obstacle(what, "Name another column, or take its line out.")
    elif column.length and known.length < column.length:
        what = (
            f"column {name} holds {known.length} characters, {column.field} is written up to {column.length}"
        )
        yield Obstacle(what, f"Write `{column.field}: {{name: {column.name}, length: {known.length}}}`.")


def _id(known: Mapping[str, str], name: str) -> str:
    return next((one for held, one in known.items() if held.casefold() == name.casefold()), "")


def privilege_ids(known: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """Ids of privileges by name, without case."""
    return [_id(known, name) for name in names]
