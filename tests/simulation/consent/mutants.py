"""python -m tests.simulation.consent.mutants: each breakage of the consent flow must be caught by a stream or a seed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.simulation.breakage import Hunt, Mutant, run

HUNT = Hunt(
    "tests.simulation.consent.hunt",
    ("60",),
    ("sync", "sandbox", "tests/simulation", "tests/streams"),
)
BRAKE = "sync/flows/consent_brake.py"
RULE, FLOW, PLAN = "sync/planning/consent.py", "sync/flows/consent.py", "sync/planning/consent_plan.py"
MUTANTS = (
    Mutant(
        "own time as evidence",
        RULE,
        "    if terms.policy is Policy.AGREED and terms.found and newer:\n",
        "    if terms.policy is Policy.AGREED and look.campaign_at is not None:\n",
    ),
    Mutant(
        "no stamp: an opt-in from Dynamics always wins",
        RULE,
        "    if not look.stamp or look.stamp != agreement.stamp:\n",
        "    if False:\n",
    ),
    Mutant(
        "stamp asked for Campaign's opt-ins",
        RULE,
        "    if by is Side.CAMPAIGN:\n        # It moves",
        "    if by is Side.CAMPAIGN and look.stamp == agreement.stamp:\n        # It moves",
    ),
    Mutant(
        "undecided: opted-in wins",
        RULE,
        "    return _settle(True, look, Rule.NEVER_AGREED)\n",
        "    return _settle(False, look, Rule.NEVER_AGREED)\n",
    ),
    Mutant(
        "opt-in not announced",
        FLOW,
        "            announced = {**seen.announced, **plan.announced}\n",
        "            announced = {**seen.announced}\n",
    ),
    Mutant(
        "what was seen is lost with a refused write",
        FLOW,
        "        if plan.opt_ins or seen.fields != claimed.fields:\n",
        "        if plan.opt_ins:\n",
    ),
    Mutant(
        "announced opt-in repeated on top of anything",
        RULE,
        "    if announced is not None and not _untouched(announced, look):\n",
        "    if False and announced is not None and not _untouched(announced, look):\n",
    ),
    Mutant(
        "creation counts as an act",
        PLAN,
        "    if row.agreed and created != (row.contact_created, row.profile_created):\n",
        "    if False:\n",
    ),
    Mutant(
        "create agrees on what an earlier profile agreed on",
        "sync/flows/call.py",
        "        if not await consent.forget(source.record_id):\n",
        "        if False:\n",
    ),
    Mutant(
        "create carries no consent",
        "sync/flows/call.py",
        "        body.update(made.fields)\n",
        "",
    ),
    Mutant(
        "no hint from who applies a record, nor from the pull",
        "sync/flows/consent_hints.py",
        "    ids = list(dict.fromkeys(record_ids))\n",
        "    ids = list(dict.fromkeys(record_ids))[:0]\n",
    ),
    Mutant(
        "no hint from whoever applies an unchanged record",
        "sync/flows/consent_apply.py",
        "        await hint(self.context, found)\n",
        "",
    ),
    Mutant(
        "decided by our own create's time",
        PLAN,
        "        terms = Terms(consents.map.rule, row.found, float(consents.map.clock_tolerance))\n",
        "        terms = Terms(consents.map.rule, True, float(consents.map.clock_tolerance))\n",
    ),
    Mutant(
        "found after a POST of ours whose outcome is unknown",
        "sync/flows/call.py",
        "        return not row.unresolved and not row.hash and not deleted\n",
        "        return True\n",
    ),
    Mutant(
        "a hint is dropped for a look that began before it",
        FLOW,
        "looked=self.began)\n",
        "looked=context.clock.now())\n",
    ),
    Mutant(
        "what one direction kept stays kept when both may be written",
        PLAN,
        "    if not state.decided or (kept and kept.side and consents.map.flows.permits(kept.side)):\n",
        "    if not state.decided:\n",
    ),
    Mutant(
        "another consent map is not noticed",
        "sync/flows/pull.py",
        "            if compiled.columns_hash == progress.columns_hash or tick.resync or not tick.sends_hash:\n",
        "            if True:\n",
    ),
    Mutant(
        "equal sides record no time",
        RULE,
        "        return Agreement(decision.value, by, look.stamp)\n",
        "        return Agreement(decision.value, by, agreement.stamp)\n",
    ),
    Mutant(
        "Dynamics written over whatever is there",
        "sync/dynamics/client.py",
        """"If-Match": f'W/"{version}"'}""",
        """"If-Match": "*"}""",
    ),
    Mutant(
        "block does not wait for the consent of the epoch before",
        "sync/flows/block.py",
        "    for number in _epochs(progress.epoch):\n",
        "    for number in (progress.epoch,):\n",
    ),
    Mutant(
        "looked at before the fence of a new epoch",
        FLOW,
        "        if wait := fenced_s(context, progress):\n",
        "        if wait := 0.0:\n",
    ),
    Mutant(
        "no claim",
        FLOW,
        "        if row.claim_owner and now < row.take_over:\n",
        "        if False:\n",
    ),
    Mutant(
        "lost answers close the claim",
        FLOW,
        "                await self._unknown(plan, held, error)\n",
        "                pass\n",
    ),
    Mutant(
        "the other side is left for later and forgotten",
        FLOW,
        "        if plan.more:\n",
        "        if False:\n",
    ),
    Mutant(
        "a look's write is in the journal only once it is made",
        FLOW,
        "        await announce(self.context, self.mapping, plan, self.owner)\n",
        "",
    ),
    Mutant(
        "a create's opt-outs are in the journal only once it is made",
        "sync/flows/consent_apply.py",
        "        await self._journal(asked, ASKED)\n",
        "",
    ),
    Mutant(
        "the journal says done of a write that was refused",
        FLOW,
        "            await record_written(self.context, self.mapping, plan, error.code, self.owner)\n",
        "            await record_written(self.context, self.mapping, plan, 'done', self.owner)\n",
    ),
    Mutant(
        "what was agreed beside a write is not in the journal",
        FLOW,
        "        await record_seen(self.context, self.mapping, plan, self.owner)\n",
        "        if plan.write is None:\n            await record_seen(self.context, self.mapping, plan, self.owner)\n",
    ),
    Mutant(
        "an opt-in that was kept and taken back is no act",
        RULE,
        "    if by is Side.CAMPAIGN and kept is not None and not kept.dynamics:\n",
        "    if False and kept is not None and not kept.dynamics:\n",
    ),
    Mutant(
        "the brake counts opt-outs",
        BRAKE,
        "side.value, len(plan.opt_ins), most):\n",
        "side.value, len(plan.written), most):\n",
    ),
    Mutant(
        "no brake",
        BRAKE,
        "    while not await context.control.opt_in(",
        "    while False and not await context.control.opt_in(",
    ),
    Mutant(
        "an approval does not count the fields it lets through",
        BRAKE,
        "    await context.control.approve_opt_ins(mapping, side, fields)\n",
        "    await context.control.approve_opt_ins(mapping, side, 0)\n",
    ),
    Mutant(
        "a held profile is created without its consent",
        "sync/flows/call.py",
        "            return Kind.HELD, UNDECIDED\n",
        "            made = replace(made, fields={})\n",
    ),
    Mutant(
        "the place in an export file is saved before its hints are queued",
        "sync/flows/consent_exports.py",
        "        if changed:\n",
        "        if changed:\n"
        "            self.place = replace(self.place, position=batch[-1].end, line=stream.line, done=done)\n"
        "            await self._note()\n",
    ),
    Mutant(
        "one direction writes the other side",
        PLAN,
        "        forbidden = side is not None and not consents.map.flows.permits(side)\n",
        "        forbidden = False\n",
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    return run(MUTANTS, HUNT, arguments)


if __name__ == "__main__":
    sys.exit(main())
