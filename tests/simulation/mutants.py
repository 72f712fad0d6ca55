"""python -m tests.simulation.mutants: each breakage of the contacts flow must be caught by a golden stream or a seed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.simulation.breakage import Hunt, Mutant, run

HUNT = Hunt("tests.simulation.hunt", ("300",), ("sync", "sandbox", "tests/simulation", "tests/streams"))
MUTANTS = (
    Mutant(
        "no claim",
        "sync/planning/taken.py",
        "    return row.claimed and row.claim_owner != owner and now < row.take_over\n",
        "    return False\n",
    ),
    Mutant(
        "hash trusted over an unresolved row",
        "sync/planning/plan.py",
        "    if resolved(row) and not force and unchanged:\n",
        "    if not force and unchanged:\n",
    ),
    Mutant(
        "release resolves",
        "sync/planning/outcome.py",
        "    back = replace(free, hash=before.hash, unresolved=before.unresolved, attempts=_attempts(before))\n",
        "    back = replace(free, hash=before.hash, unresolved=False, attempts=_attempts(before))\n",
    ),
    Mutant(
        "unchanged not recorded",
        "sync/planning/plan.py",
        "        if settled and row.state is State.SYNCED and row.awaits == awaits:\n",
        "        if True:\n",
    ),
    Mutant(
        "stale by >=",
        "sync/planning/plan.py",
        "    if resolved(row) and not force and row.version > source.version:\n",
        "    if resolved(row) and not force and row.version >= source.version:\n",
    ),
    Mutant(
        "delete by arrival",
        "sync/planning/plan.py",
        "    if change.kind is not ChangeKind.UPSERT or change.row is None or chunk.intent is not Intent.NONE:\n"
        "        return True\n",
        "    if change.kind is not ChangeKind.UPSERT or change.row is None or chunk.intent is not Intent.NONE:\n"
        "        return change.kind is not ChangeKind.DELETE\n",
    ),
    Mutant(
        "absent as null",
        "sync/flows/reading.py",
        "{c.record_id: c for c in chunk.changes}",
        "{c.record_id: c if c.row is None else "
        "replace(c, row=replace(c.row, values={**dict.fromkeys(compiled.columns), **c.row.values})) "
        "for c in chunk.changes}",
    ),
    Mutant(
        "filter decided on an absent column",
        "sync/flows/reading.py",
        "{c.record_id: c for c in chunk.changes}",
        "{c.record_id: c if c.row is None else "
        "replace(c, row=replace(c.row, values={**dict.fromkeys(one.column for one in compiled.conditions), "
        "**c.row.values})) for c in chunk.changes}",
    ),
    Mutant(
        "label taken from a stale cache",
        "sync/flows/labels.py",
        "    key = (compiled.version, stored.etag)\n",
        '    key = (compiled.version, "")\n',
    ),
    Mutant(
        "other labels are not replayed",
        "sync/flows/pull.py",
        '            if tick.sends_hash not in ("", compiled.sends_hash):\n',
        "            if False:\n",
    ),
    Mutant(
        "version not recorded outside the filter",
        "sync/planning/plan.py",
        "    outside = replace(filtered(row, source.version, compiled.version), code=code)\n",
        "    outside = replace(filtered(row, row.version, compiled.version), code=code)\n",
    ),
    Mutant(
        "leaving the filter ignored on a re-read",
        "sync/planning/plan.py",
        "    if not projection.wanted:\n",
        "    if not projection.wanted and intent is not Intent.NONE:\n"
        '        return Plan(record_id, Do.NOTHING, "outside the filter")\n'
        "    if not projection.wanted:\n",
    ),
    Mutant(
        "kept outside the filter, then deleted",
        "sync/planning/plan.py",
        "    never_sent = row.state is State.NEW or (left_out and not row.hash)\n",
        "    never_sent = row.state is State.NEW or left_out\n",
    ),
    Mutant(
        "a marked profile believed to be as sent",
        "sync/planning/outcome.py",
        '    return replace(row, hash=plan.mark.hash, code=row.code or "marked", parents=free.parents)\n',
        '    return replace(row, hash=free.hash, code=row.code or "marked", parents=free.parents)\n',
    ),
    Mutant(
        "braked delete outside the filter asked for again",
        "sync/planning/plan.py",
        "    if resolved(row) and braked and intent not in COMMANDS:\n",
        "    if False:\n",
    ),
    Mutant(
        "tombstone trusted",
        "sync/planning/plan.py",
        "GONE = (State.DELETED, State.PARKED)\n",
        "GONE = (State.PARKED,)\n",
    ),
    Mutant(
        "watermark before enqueue",
        "sync/flows/pull.py",
        "                found = await dispatch(\n",
        "                early = page.next_link or page.delta_link or tick.link\n"
        "                tick = await context.watermarks.write_tick(replace(tick, link=early))\n"
        "                found = await dispatch(\n",
    ),
    Mutant(
        "live read stopped at the last page",
        "sync/flows/full_read.py",
        "running=False, closing=True,",
        "running=False, closing=False,",
    ),
    Mutant(
        "sweep before the lane is empty",
        "sync/flows/pull.py",
        "            if await queue.length():\n",
        "            if False:\n",
    ),
    Mutant(
        "generation started without a second chance",
        "sync/flows/pull.py",
        "            await self._second_chance(progress)\n",
        "            pass\n",
    ),
    Mutant(
        "budget per fixed window",
        "sync/storage/budget.py",
        "        shared, slow, busy = lines.shared, lines.backfill, lines.work\n        interval",
        "        shared, slow, busy = lines.shared, lines.backfill, lines.work\n"
        "        shared = shared if now // self.limit.window_s == shared // self.limit.window_s else 0.0\n"
        "        interval",
    ),
    Mutant(
        "give-back without looking",
        "sync/storage/budget.py",
        "            await self._table.replace(self._entity(shared, grant.backfill, grant.work, day), grant.etag)\n",
        "            await self._table.upsert(self._entity(shared, grant.backfill, grant.work, day))\n",
    ),
    Mutant(
        "owner = worker",
        "sync/flows/apply.py",
        '        owner = f"{invocation}:{self._context.nonce()}"\n',
        "        owner = self._context.counters._instance\n",
    ),
    Mutant(
        "take-over without waiting for the gateway",
        "sync/flows/claim.py",
        "        grace = settings.gateway_s + settings.skew_s\n",
        "        grace = 0.0\n",
    ),
    Mutant(
        "parked delete believed",
        "sync/planning/plan.py",
        "GONE = (State.DELETED, State.PARKED)\n",
        "GONE = (State.DELETED,)\n",
    ),
    Mutant(
        "live chunk older than a full read believed",
        "sync/planning/plan.py",
        "    if chunk.lane is Lane.LIVE and (chunk.generation, chunk.reading) != (generation, running):\n",
        "    if False:\n",
    ),
    Mutant(
        "conflicts forgotten",
        "sync/flows/apply.py",
        "        await work.back(sorted(claims.conflicts), delay_s=0.5)\n",
        "",
    ),
    Mutant(
        "drift quarantines the records",
        "sync/flows/drift.py",
        "    return [_released(outcome) for outcome in outcomes]\n",
        "    return list(outcomes)\n",
    ),
    Mutant(
        "drift not confirmed",
        "sync/flows/drift.py",
        "    if not codes & (CONFIRMED | DOUBTFUL):\n",
        "    if True:\n",
    ),
    Mutant(
        "drift mended before anybody looked quarantines",
        "sync/flows/drift.py",
        "failed < MOST_CONTRADICTED else outcome",
        "failed < 0 else outcome",
    ),
    Mutant(
        "chunk of a drifted mapping dropped",
        "sync/flows/drift.py",
        "    await context.lanes.queue(lane).put(to_message(later), delay_s=STOPPED_DELAY_S)\n",
        "",
    ),
    Mutant(
        "watermark moves on over a drift",
        "sync/flows/pull.py",
        "        elif tick.resync:\n            if not drifted:\n",
        "        elif tick.resync:\n"
        "            if drifted:\n"
        "                first = await context.dynamics.start_tracking(compiled.entity_set, compiled.key_column, ())\n"
        "                moved = first.delta_link or first.next_link or ''\n"
        "                await context.watermarks.write_tick(replace(tick, resync='', link=moved))\n"
        "            if not drifted:\n",
    ),
    Mutant(
        "reservation taken again",
        "sync/storage/budget.py",
        "        if in_time and permits >= calls:\n",
        "        if in_time and permits >= calls and not backfill:\n",
    ),
    Mutant(
        "block looked for at dispatch only",
        "sync/flows/reading.py",
        "            context.blocked.among(rows),\n",
        "            context.blocked.among(()),\n",
    ),
    Mutant(
        "block does not wait for a claim",
        "sync/flows/block.py",
        '        if busy(row, "", now):\n',
        "        if False:\n",
    ),
    Mutant(
        "block does not wait for a comparison",
        "sync/flows/block.py",
        "    if left > 0:\n",
        "    if False:\n",
    ),
    Mutant(
        "comparison does not look whether the id is blocked by now",
        "sync/flows/reconcile.py",
        "        if await context.blocked.among([record_id]):\n",
        "        if await context.blocked.among([]):\n",
    ),
    Mutant(
        "marked profile deleted as an extra",
        "sync/planning/plan.py",
        "    extra = intent is Intent.EXTRA and not row.hash\n",
        "    extra = intent is Intent.EXTRA\n",
    ),
    Mutant(
        "heal without force",
        "sync/flows/reconcile.py",
        "        await send_again(look, heal, Intent.HEAL)\n",
        "        await send_again(look, heal, Intent.REPLAY)\n",
    ),
    Mutant(
        "replay resumes past its place",
        "sync/flows/replay.py",
        "    sent = await dispatch(\n",
        "    if after is not None:\n"
        "        job = await context.jobs.write(replace(job, place=after.model_dump_json()))\n"
        "    sent = await dispatch(\n",
    ),
    Mutant(
        "merge loser's delete ignores the brake",
        "sync/flows/record.py",
        "    return [p for p in plans if p.do is Do.DELETE and ",
        '    return [p for p in plans if p.do is Do.DELETE and p.why != "merged into another" and ',
    ),
    Mutant(
        "merges not followed",
        "sync/planning/plan.py",
        '    if compiled.follow_merges == "delete" and compiled.merged_into(source.values):\n',
        "    if False:\n",
    ),
    Mutant(
        "the winner of a merge not recorded",
        "sync/flows/apply.py",
        "        row = work.rows[record_id] = with_heir(before, source, work.compiled)\n",
        "        row = before\n",
    ),
    Mutant(
        "the winner of a merge recorded only where something else is",
        "sync/flows/apply.py",
        "            if planned.do is Do.NOTHING and row.heir != before.heir and resolved(row):\n",
        "            if False:\n",
    ),
    Mutant(
        "merge after a delete that kept the profile not followed",
        "sync/planning/plan.py",
        " and not (merged and row.hash)",
        "",
    ),
    Mutant(
        "a rebaseline begins no epoch",
        "sync/flows/rebaseline.py",
        "    epoch = progress.epoch + 1\n",
        "    epoch = progress.epoch\n",
    ),
    Mutant(
        "what an epoch before sent outside the filter stays",
        "sync/flows/record.py",
        "            elif outcome.kind is Kind.SEEN and row.state is State.FILTERED:\n",
        "            elif False:\n",
    ),
    Mutant(
        "kept profiles are extras after a rebaseline",
        "sync/flows/extras.py",
        "    if not look.compiled.deletes:\n",
        "    if False:\n",
    ),
    Mutant(
        "chunk of an older epoch worked",
        "sync/flows/reading.py",
        "        if chunk.epoch != progress.epoch:\n",
        "        if False:\n",
    ),
    Mutant(
        "first load left for later though something was sent",
        "sync/planning/plan.py",
        "    if scope is Scope.LIVE or intent in COMMANDS or not resolved(row):\n",
        "    if scope is Scope.LIVE or intent in COMMANDS:\n",
    ),
    Mutant(
        "first load's filter applied to changes",
        "sync/planning/plan.py",
        "    if scope is Scope.LIVE or intent in COMMANDS or not resolved(row):\n",
        "    if intent in COMMANDS or not resolved(row):\n",
    ),
    Mutant(
        "addressing is found out anew by each attempt",
        "sync/campaign/records.py",
        "            self._not_offered.add(name)\n",
        "            pass\n",
    ),
    Mutant(
        "paused work dropped on resume",
        "sync/flows/pause.py",
        "    await context.lanes.queue(Lane.BACKFILL_HOLD if lane is Lane.BACKFILL else lane).put(body)\n",
        "",
    ),
    Mutant(
        "lost job step never sent again",
        "sync/flows/jobs.py",
        "                await send(context.lanes, JobStep(mapping=mapping, job=job.name, step=job.step))\n"
        "                sent += 1\n",
        "                sent += 1\n",
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    return run(MUTANTS, HUNT, arguments)


if __name__ == "__main__":
    sys.exit(main())
