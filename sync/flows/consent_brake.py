"""The brake on mass opt-ins: above the hour's allowance they are parked until somebody approves; opt-outs never are."""

from __future__ import annotations

from sync import telemetry
from sync.consent_row import Side
from sync.flows.consent_hints import hint
from sync.flows.context import Context
from sync.planning.consent_plan import ConsentPlan
from sync.storage.history import Parked
from sync.storage.ledger import bucket_of, partition_of


async def brake(context: Context, mapping: str, plan: ConsentPlan) -> ConsentPlan:
    """The plan without the opt-ins that may not be written now; everything else goes on."""
    while plan.opt_ins and plan.write is not None:
        if await _allowed(context, mapping, plan, plan.write):
            return plan
        plan = plan.braking()
    return plan


async def _allowed(context: Context, mapping: str, plan: ConsentPlan, side: Side) -> bool:
    """Take them from the hour's allowance; if it is used up, park the contact."""
    record_id, most = plan.row.record_id, context.settings.opt_in_brake
    parked: Parked | None = None
    while not await context.control.opt_in(mapping, side.value, len(plan.opt_ins), most):
        parked = await context.parked.add(
            Parked(f"consent:{side}", mapping, record_id, "opt_in_brake", context.clock.now())
        )
        # Looked for after parking: an approval opens the brake, then lists what waits.
        if await context.control.opt_ins_stopped(mapping, side.value):
            telemetry.warning("opt_ins_braked", mapping=mapping, code="opt_in_brake", record=record_id)
            return False
    if parked is not None:
        await context.parked.remove_unmoved(parked)
    return True


async def approve_opt_ins(context: Context, mapping: str, side: str) -> int:
    """Let the parked opt-ins towards a side through: start counting anew, and hint them; how many contacts.

    They are listed again once the brake is open: whoever parks later finds it open. What is parked again after its hint
    stays parked.
    """
    waiting = await braked(context, mapping, side)
    if not waiting and not await context.control.opt_ins_stopped(mapping, side):
        return 0
    await context.active(mapping)
    epoch = (await context.watermarks.progress(mapping)).epoch
    fields = 0
    for item in waiting:
        partition = partition_of(mapping, epoch, bucket_of(item.record_id, context.buckets[mapping]))
        row = await context.consents.get(partition, item.record_id)
        fields += sum(state.kept is not None and state.kept.side is None for state in row.fields.values())
    await context.control.approve_opt_ins(mapping, side, fields)
    waiting = await braked(context, mapping, side)
    await hint(context, [item.record_id for item in waiting])
    for item in waiting:
        await context.parked.remove_unmoved(item)
    return len(waiting)


async def braked(context: Context, mapping: str, side: str) -> list[Parked]:
    """The contacts whose opt-in towards a side waits for an approval."""
    return [item async for item in context.parked.all(f"consent:{side}") if item.mapping == mapping]
