"""python -m tests.simulation.entities.mutants: each breakage of links must be caught by a stream or a seed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.simulation.breakage import Hunt, Mutant, run

HUNT = Hunt(
    "tests.simulation.entities.hunt",
    ("60",),
    ("sync", "sandbox", "tests/simulation", "tests/streams"),
)
LINKS, FAMILY, WAKE = "sync/flows/links.py", "sync/flows/family.py", "sync/flows/wake.py"
TIES, PLAN, OUTCOME = "sync/planning/ties.py", "sync/planning/plan.py", "sync/planning/outcome.py"
MUTANTS = (
    Mutant(
        "link written after reading",
        LINKS,
        "        await asyncio.gather(*(self._write(plan, claimed[plan.record_id]) for plan in plans))\n"
        "        parents = await self._parents(plans)\n",
        "        parents = await self._parents(plans)\n"
        "        await asyncio.gather(*(self._write(plan, claimed[plan.record_id]) for plan in plans))\n",
    ),
    Mutant(
        "parents looked at before the claim only",
        LINKS,
        "            moved = self._moved(plan, rows[plan.record_id], parents)\n",
        "            moved = None\n",
    ),
    Mutant(
        "link row removed without its ETag",
        LINKS,
        "            if ref not in row.parents and etag and await context.links.remove(ref, me, etag):\n",
        "            if ref not in row.parents and etag:\n"
        "                await context.links._table.delete(str(ref), str(me))\n",
    ),
    Mutant(
        "parked child's link lost",
        PLAN,
        "            awaits=tied.awaits,\n        )\n    else:\n",
        "            awaits=tied.awaits,\n            parents=(),\n        )\n    else:\n",
    ),
    Mutant(
        "sent-back child's link lost",
        OUTCOME,
        "    back = replace(back, parents=before.parents)\n",
        "    back = replace(back, parents=())\n",
    ),
    Mutant(
        "link removed though unresolved",
        OUTCOME,
        "            parents=claimed.parents,\n        )\n        if given_up",
        "            parents=before.parents,\n        )\n        if given_up",
    ),
    Mutant(
        "the claim does not name its parents",
        "sync/flows/claim.py",
        "            parents=tuple(dict.fromkeys((*row.parents, *item.links))),\n",
        "",
    ),
    Mutant(
        "parent's children not scanned",
        LINKS,
        "        if deletes and await may_be_parent(self.context, self.chunk.mapping):\n",
        "        if False:\n",
    ),
    Mutant(
        "no second look before a delete waits",
        LINKS,
        "        return await has_children(self.context, me)\n",
        "        return True\n",
    ),
    Mutant(
        "no wake on landing",
        LINKS,
        "        landed = now is Standing.READY and was is not now\n",
        "        landed = False\n",
    ),
    Mutant(
        "no wake when a parent is gone for good",
        LINKS,
        "        if (landed or (now is Standing.GONE and was is not now)) and",
        "        if landed and",
    ),
    Mutant(
        "removal of a link row wakes nobody",
        LINKS,
        "                await wake_parent(context, ref)\n",
        "                pass\n",
    ),
    Mutant(
        "lost wake-ups are not made up for",
        WAKE,
        "    if stands is Standing.READY or (stands is Standing.GONE and parked_here):\n",
        "    if False:\n",
    ),
    Mutant(
        "lost wake-ups of waiting deletes are not made up for",
        WAKE,
        "            acted += await _parent(context, parked)\n",
        "            acted += 0\n",
    ),
    Mutant(
        "no second look after parking",
        LINKS,
        "        await self._look_once_more(before, row)\n",
        "",
    ),
    Mutant(
        "optional link treated as absent for ever",
        TIES,
        "    return Tied(Verdict.SEND, projection, _once(links), _once(awaited))\n",
        "    return Tied(Verdict.SEND, projection, _once(links))\n",
    ),
    Mutant(
        "waits for itself",
        TIES,
        "        if ref == child:\n",
        "        if False:\n",
    ),
    Mutant(
        "a waiting delete keeps its optional links",
        LINKS,
        "        given_up = tuple(ref for ref in before.parents if ref.mapping in optional)\n",
        "        given_up = ()\n",
    ),
    Mutant(
        "a parent whose delete waits counts as there",
        TIES,
        "    if row.state is State.PARKED and row.code == CHILDREN_LEFT:\n        return Standing.LEAVING\n",
        "",
    ),
    Mutant(
        "a parent in work counts as there",
        TIES,
        "        return Standing.READY if there(row) else Standing.BUSY\n",
        "        return Standing.READY\n",
    ),
    Mutant(
        "children are not told of a delete that waits",
        LINKS,
        "        if now is Standing.LEAVING:\n            await self._send_children(row)\n",
        "",
    ),
    Mutant(
        "an empty required link is sent",
        TIES,
        "    if Verdict.EMPTY in found:\n        return Tied(Verdict.EMPTY, projection)\n",
        "",
    ),
    Mutant(
        "parked row removed though written again",
        "sync/storage/history.py",
        'await self._table.delete(parked.awaited, f"{parked.mapping}:{parked.record_id}", parked.etag)',
        'await self._table.delete(parked.awaited, f"{parked.mapping}:{parked.record_id}")',
    ),
    Mutant(
        "a delete found done leaves the row as it was",
        PLAN,
        "        return Plan(record_id, Do.RECORD, DELETED_ALREADY, row=row)\n",
        "        return Plan(record_id, Do.NOTHING, DELETED_ALREADY)\n",
    ),
    Mutant(
        "set aside while nobody knows whether Campaign holds it",
        PLAN,
        "        return replace(planned, do=Do.LOOK)\n",
        "        return planned\n",
    ),
    Mutant(
        "an epoch begins as if Campaign were empty",
        "sync/storage/ledger.py",
        "unresolved=epoch_of(partition) > FIRST_EPOCH)",
        "unresolved=False)",
    ),
    Mutant(
        "woken into an epoch before its fence",
        "sync/flows/reading.py",
        "        if fenced_s(context, progress):\n",
        "        if False:\n",
    ),
    Mutant(
        "an unresolved row of a new epoch tells all its parents",
        FAMILY,
        "    return row.etag is not None and (epoch_of(row.partition) == FIRST_EPOCH or not row.unresolved)\n",
        "    return row.etag is not None\n",
    ),
    Mutant(
        "looked up, and its links not seen",
        "sync/flows/call.py",
        "        self.shown = self.compiled.parents_shown(shown)\n",
        "",
    ),
    Mutant(
        "marked, and its links not seen",
        "sync/flows/call.py",
        "        known = tells(self.before) or not self.compiled.links\n",
        "        known = True\n",
    ),
    Mutant(
        "a link row of an epoch before removed on the way back",
        LINKS,
        " if tells(row) else None\n",
        "\n",
    ),
    Mutant(
        "links that nobody knows of are not emptied",
        LINKS,
        "        empties = bool(optional) and not tells(before) and before.code != CHILDREN_LEFT\n",
        "        empties = False\n",
    ),
    Mutant(
        "a merge's loser goes before those that point to it",
        LINKS,
        "        deletes = [plan for plan in plans if plan.do is Do.DELETE]\n",
        "        deletes = [plan for plan in plans if plan.do is Do.DELETE and not plan.merged]\n",
    ),
    Mutant(
        "related rows kept by a worker",
        "sync/flows/related.py",
        "    rows: dict[str, SourceRow] = {}\n",
        "    rows: dict[str, SourceRow] = context.__dict__.setdefault('kept', {}).setdefault(table, {})\n"
        "    ids = [one for one in ids if one not in rows]\n",
    ),
    Mutant(
        "compared without related rows",
        "sync/flows/look.py",
        "    sources = await beside(look.context, compiled, found)\n",
        "    sources = found\n",
    ),
    Mutant(
        "a record too large for a message is left out",
        "sync/storage/lanes.py",
        "            change, weight = Change(change.record_id, ChangeKind.REREAD), 64\n",
        "            continue\n",
    ),
    Mutant(
        "a record too large for a message is queued as it is",
        "sync/storage/lanes.py",
        "        if weight > limit:\n",
        "        if False:\n",
    ),
    Mutant(
        "nobody notes that there may be children",
        FAMILY,
        "        await context.links.mark(mapping)\n        context.parents.add(mapping)\n",
        "        pass\n",
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    return run(MUTANTS, HUNT, arguments)


if __name__ == "__main__":
    sys.exit(main())
