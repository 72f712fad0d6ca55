"""python -m tests.simulation.events.mutants: the events harness is tested by breaking the flow, one line at a time."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from tests.simulation.breakage import Hunt, Mutant, run

HUNT = Hunt(
    "tests.simulation.events",
    ("--seeds", "600", "--once", "--stop", "--jobs", "1"),
    ("sync", "sandbox", "mappings", "tests/simulation", "tests/events"),
)

MUTANTS = (
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
        "        for key in sorted(closed.keys() - unfinished):\n",
        "        for key in sorted(closed):\n",
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
        "        works = await self._claimed(works, owner, deadline)\n",
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
        "    await send_contacts(context, epoch, [(one.partition, one.contact) for one in appeared])\n",
        "",
    ),
    Mutant(
        "parked contacts do not come along",
        "sync/flows/events/apply.py",
        "            self._again(PartitionName(work.name, work.contacts), delay)\n",
        "            self._again(PartitionName(work.name), delay)\n",
    ),
    Mutant(
        "what one message could not hold is forgotten",
        "sync/flows/events/apply.py",
        "        if work.more:\n",
        "        if False:\n",
    ),
    Mutant(
        "a loser's events stay with it",
        "sync/flows/events/standing.py",
        "            heirs[loser] = winner\n",
        "",
    ),
    Mutant(
        "every click makes a task",
        "sync/planning/follow_up.py",
        "    _, first = min(recent, key=lambda one: (one[1].at, one[0].key))\n"
        "    yield Activity(\n"
        '        id=str(uuid5(NAMESPACE, "|".join(("task", first.contact, first.delivery, name)))),\n'
        "        kind=kind,\n"
        "        contact=first.contact,\n"
        '        key=f"{first.contact}:~task-{name}",\n',
        "    _, first = max(recent, key=lambda one: (one[1].at, one[0].key))\n"
        "    yield Activity(\n"
        '        id=str(uuid5(NAMESPACE, "|".join(("task", first.contact, first.delivery, name, first.log_id)))),\n'
        "        kind=kind,\n"
        "        contact=first.contact,\n"
        '        key=f"{first.contact}:~task-{name}-{first.log_id}",\n',
    ),
    Mutant(
        "proofs reach the timeline",
        "sync/planning/exports.py",
        '        for flag in ("proof", "seed"):\n',
        '        for flag in ("seed",):\n',
    ),
)

DIRECTED: dict[str, tuple[Mutant, ...]] = {
    "tangle": (
        Mutant(
            "the claim is read after the rows",
            "sync/flows/events/apply.py",
            "        return await self._rows(name, claim)\n",
            "        work = await self._rows(name, claim)\n"
            "        return work and replace(work, claim=await context.events.claim(name.name))\n",
        ),
    ),
    "waver": (
        Mutant(
            "a correction that no row tells of is believed to be none",
            "sync/flows/events/partition.py",
            "        self.doubtful = bool(self.claim.owner)\n",
            "        self.doubtful = False\n",
        ),
        Mutant(
            "a doubt ends with the first that takes the claim",
            "sync/flows/events/apply.py",
            "        untold = untold or (work.doubtful and not done)\n",
            "",
        ),
    ),
    "torn": (
        Mutant(
            "a torn last line is taken at once",
            "sync/flows/events/pull.py",
            "            if context.now() - file.modified < context.settings.events_partial_s:\n",
            "            if False:\n",
        ),
    ),
    "grave": (
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
            "poison messages are dropped",
            "sync/app.py",
            "            await return_poison(self.events, from_text(body))\n",
            "            from_text(body)\n",
        ),
    ),
    "lapse": (
        Mutant(
            "an unknown correction gives its claim back",
            "sync/flows/events/apply.py",
            "        if Ended.UNKNOWN in corrections:\n",
            "        if False:\n",
        ),
    ),
    "garble": (
        Mutant(
            "a bulk answer is believed, whatever it says",
            "sync/dynamics/activities.py",
            '        if verb is Verb.CREATE and len(answer.json().get("Ids") or ()) != len(targets):\n',
            "        if False:\n",
        ),
    ),
}
"""By the kind of seeds that are made for them: too rare for others."""


def main(arguments: Sequence[str] | None = None) -> int:
    missed = run(MUTANTS, HUNT, arguments)
    for special, mutants in DIRECTED.items():
        directed = replace(HUNT, arguments=("--special", special, "--seeds", "400", *HUNT.arguments[2:]))
        missed |= run(mutants, directed, arguments)
    return missed


if __name__ == "__main__":
    sys.exit(main())
