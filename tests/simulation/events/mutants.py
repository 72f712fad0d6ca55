"""python -m tests.simulation.events.mutants: the events harness is tested by breaking the flow, one line at a time.

Five breakages that seeds find too rarely are caught by named tests in tests/events: a claim read after the rows, an
unknown correction that gives its claim back, a bulk answer believed whatever it says, poison messages dropped, a torn
last line taken at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.simulation.breakage import Hunt, Mutant, run

HUNT = Hunt(
    "tests.simulation.events",
    ("--seeds", "600", "--once", "--stop"),
    ("sync", "sandbox", "mappings", "tests/simulation", "tests/events"),
)

MUTANTS = (
    Mutant(
        "the file moves before its lines are stored",
        "sync/flows/events/pull.py",
        "        open_rows, merged = await self._store(batch)\n",
        "        self._row = await context.files.write(replace(self._row, position=position, line=line))\n"
        "        open_rows, merged = await self._store(batch)\n",
    ),
    Mutant(
        "rows that wait from before are not queued again",
        "sync/storage/events.py",
        "        return self.new + self.revised + self.waiting\n",
        "        return self.new + self.revised\n",
    ),
    Mutant(
        "the line read last wins, whatever its version",
        "sync/storage/events.py",
        "        elif row.event is not None and order_of(row.event) > order_of(old.event):\n",
        "        elif row.event is not None and order_of(row.event) != order_of(old.event):\n",
    ),
    Mutant(
        "what is there already is always right",
        "sync/flows/events/partition.py",
        "    if ended is Ended.WRITTEN or (ended is Ended.EXISTS and activity.original):\n",
        "    if ended in (Ended.WRITTEN, Ended.EXISTS):\n",
    ),
    Mutant(
        "deleted activities are created again",
        "sync/flows/events/partition.py",
        '    if ended is Ended.GONE:\n        return ("gone", ""), False, "activity_deleted", None\n',
        '    if ended is Ended.GONE:\n        return ("", ""), True, "", 0.0\n',
    ),
    Mutant(
        "a row is closed with its first activity",
        "sync/flows/events/partition.py",
        "        for key in sorted(self.open.intersection(closed) - unfinished):\n",
        "        for key in sorted(self.open.intersection(closed)):\n",
    ),
    Mutant(
        "what could not be written is closed",
        "sync/flows/events/partition.py",
        '    return None, True, "", result.delay_s\n',
        '    return None, False, "", None\n',
    ),
    Mutant(
        "creates carry no precondition",
        "sync/dynamics/activities.py",
        '{"If-None-Match": "*"} if verb is Verb.CREATE else {"If-Match": "*"}',
        '{} if verb is Verb.CREATE else {"If-Match": "*"}',
    ),
    Mutant(
        "corrections carry no precondition",
        "sync/dynamics/activities.py",
        '{"If-None-Match": "*"} if verb is Verb.CREATE else {"If-Match": "*"}',
        '{"If-None-Match": "*"} if verb is Verb.CREATE else {}',
    ),
    Mutant(
        "no claim for corrections",
        "sync/flows/events/apply.py",
        "        works = [work for work in works if not work.corrects or await self._claim(work, owner, deadline)]\n",
        "",
    ),
    Mutant(
        "an expired claim's partition is dropped",
        "sync/flows/events/apply.py",
        "            self._again(name, min(claim.take_over - context.now(), LOOK_AGAIN_S))\n",
        "",
    ),
    Mutant(
        "parked events are forgotten when the contact appears",
        "sync/flows/events/house.py",
        "            await send(context, EventMessage(epoch, (names,)))\n",
        "            pass\n",
    ),
    Mutant(
        "parked contacts do not come along",
        "sync/flows/events/apply.py",
        "            self._again(PartitionName(work.name, work.contacts), delay)\n",
        "            self._again(PartitionName(work.name), delay)\n",
    ),
    Mutant(
        "proofs reach the timeline",
        "sync/planning/exports.py",
        '        for flag in ("proof", "seed"):\n',
        '        for flag in ("seed",):\n',
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    return run(MUTANTS, HUNT, arguments)


if __name__ == "__main__":
    sys.exit(main())
