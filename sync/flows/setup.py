"""Set-up of a Dynamics environment: look, say what is left to do, do it step by step, look again.

Every step can be repeated. A step whose outcome is not known, or that finds its thing there already, is settled by
looking again; customizations that run at the same moment (0x80090412) are waited for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from sync.dynamics.metadata import Metadata
from sync.dynamics.provisioning import NewColumn, Provisioning
from sync.errors import SyncError, Throttled, UnknownOutcome
from sync.model import Clock
from sync.planning.provision import (
    ROLE_COMPONENT,
    SUBJECT_LENGTH,
    Desired,
    Found,
    FoundColumn,
    FoundTable,
    Obstacle,
    Step,
    StepKind,
    obstacles,
    privilege_ids,
    steps,
)

BUSY_WAIT_S = 10.0
BUSY_TRIES = 30
_FINAL = frozenset({"dynamics_forbidden", "dynamics_unauthorized"})
ROUNDS = 5
"""How often a look may find that something is still to do."""


class Plan(NamedTuple):
    """What is there, what is left to do, and what stands against it."""

    found: Found
    steps: list[Step]
    obstacles: list[Obstacle]


class Setup:
    """Set-up of one environment."""

    def __init__(self, provisioning: Provisioning, metadata: Metadata, clock: Clock) -> None:
        self._env = provisioning
        self._metadata = metadata
        self._clock = clock

    async def plan(self, want: Desired) -> Plan:
        """Reads only."""
        found = await self._look(want)
        return Plan(found, steps(want, found), obstacles(want, found))

    async def carry_out(self, want: Desired, tell: Callable[[Step], None]) -> int:
        """All steps; answers how many were done. `tell` hears of each one before it begins. Raises SyncError."""
        done, failed_at = 0, -1
        failure: SyncError | None = None
        for _ in range(ROUNDS):
            plan = await self.plan(want)
            if plan.obstacles:
                raise SyncError("setup_blocked", plan.obstacles[0].what)
            if not plan.steps:
                return done
            try:
                for step in plan.steps:
                    tell(step)
                    await self._patiently(step, want, plan.found)
                    done += 1
            except SyncError as error:
                # Whether it was applied says the next look; a refusal that lasts is told then.
                if error.code in _FINAL or (failed_at == done and not isinstance(error, UnknownOutcome)):
                    raise
                failure, failed_at = error, done
        raise failure or SyncError("setup_blocked", "what was done is not there when looked at again")

    async def _patiently(self, step: Step, want: Desired, found: Found) -> None:
        await patiently(self._clock, lambda: self._do(step, want, found))

    async def _do(self, step: Step, want: Desired, found: Found) -> None:
        env = self._env
        match step.kind:
            case StepKind.PUBLISHER:
                await env.create_publisher(
                    want.publisher, want.publisher_name, want.prefix, want.option_value_prefix
                )
            case StepKind.SOLUTION:
                publisher_id, _ = await env.publisher(want.publisher)
                await env.create_solution(want.solution, want.solution_name, publisher_id)
            case StepKind.TABLE if step.table is not None:
                table = step.table
                await env.create_activity_table(table.name, table.display_name, SUBJECT_LENGTH, want.solution)
            case StepKind.COLUMN if step.table is not None and step.column is not None:
                column = step.column
                new = NewColumn(column.name, column.label, column.type, column.length)
                await env.create_column(step.table.name, new, want.solution)
            case StepKind.ROLE:
                await env.create_role(want.role)
            case StepKind.PRIVILEGES:
                ids = privilege_ids(found.known, step.privileges)
                await env.add_privileges(await env.role(want.role), ids)
            case StepKind.IN_SOLUTION:
                await env.add_to_solution(await env.role(want.role), ROLE_COMPONENT, want.solution)
            case StepKind.PUBLISH:
                await env.publish([table.name for table in want.tables])
            case StepKind.NOTE:
                solution_id, _, _ = await env.solution(want.solution)
                await env.describe_solution(solution_id, want.note)

    async def _look(self, want: Desired) -> Found:
        env = self._env
        publisher_id, prefix = await env.publisher(want.publisher)
        solution_id, owner, note = await env.solution(want.solution)
        role_id = await env.role(want.role)
        return Found(
            publisher_id=publisher_id,
            prefix=prefix,
            solution_id=solution_id,
            solution_publisher=owner,
            note=note,
            tables=await look_at_tables(env, self._metadata, want),
            role_id=role_id,
            role_in_solution=bool(solution_id and role_id) and await env.in_solution(solution_id, role_id),
            held=await env.role_privileges(role_id) if role_id else {},
            known=await env.privilege_ids([*want.privileges, *want.helpful]),
        )


async def patiently(clock: Clock, work: Callable[[], Awaitable[None]]) -> None:
    """Do it, again while another customization runs; raises SyncError."""
    tries = 0
    while True:
        try:
            return await work()
        except SyncError as error:
            tries += 1
            if tries > BUSY_TRIES or not (error.code == "dynamics_busy" or isinstance(error, Throttled)):
                raise
            wait = error.retry_after if isinstance(error, Throttled) else BUSY_WAIT_S
        await clock.sleep(wait)


async def enable_change_tracking(env: Provisioning, clock: Clock, table: str) -> None:
    """Track changes of a table, and publish; raises SyncError."""
    await patiently(clock, lambda: env.enable_change_tracking(table))


async def look_at_tables(env: Provisioning, metadata: Metadata, want: Desired) -> dict[str, FoundTable]:
    """The wanted tables that exist, with their columns; reads definitions only."""
    found: dict[str, FoundTable] = {}
    for table in want.tables:
        state = await env.table(table.name)
        if state is None:
            continue
        columns = await metadata.attributes(table.name)
        found[table.name] = FoundTable(
            state.activity,
            state.entity_set,
            {name: FoundColumn(one.type, one.max_length) for name, one in columns.items()},
        )
    return found
