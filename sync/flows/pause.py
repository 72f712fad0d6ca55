"""pause: messages of what a person has paused wait in `paused`, a queue without a trigger, and cost nothing there.

`feed_backfill` brings them back once somebody has resumed something. A message names the part it waits for and its
mapping in its first two lines; the body follows as it was.
"""

from __future__ import annotations

from sync import telemetry
from sync.flows.context import Context
from sync.model import Lane
from sync.storage.lanes import gather_all
from sync.storage.queue import Queue, Received

LOOK_S = 60.0
"""How long a message that must wait on is hidden from the look that found it."""
WORK_S = 10.0
SHORT_S = 1.0
"""A look that finds nothing which waited when something was resumed ends after this."""
SURE_S = 60.0
"""A worker that believes an older pause sets messages aside for some seconds after a resume: look so long."""


def part_of(lane: Lane) -> str:
    return f"lane:{lane.value}"


async def set_aside(context: Context, part: str, mapping: str, body: str) -> bool:
    """Whether this part of the mapping is paused; then the message waits with the others."""
    if not await context.pauses.paused(mapping, part):
        return False
    await wait(context, part, mapping, body)
    return True


async def wait(context: Context, part: str, mapping: str, body: str) -> None:
    """Put a message to those that wait."""
    await context.lanes.queue(Lane.PAUSED).put(f"{part}\n{mapping}\n{body}")


async def restore(context: Context) -> int:
    """Bring back what waited for something that has been resumed; how many messages.

    What must wait on and was there at the resume goes behind the others, so that every message is met once, however
    many there are.
    """
    resumed = await context.pauses.resumed()
    if resumed is None:
        return 0
    queue = context.lanes.queue(Lane.PAUSED)
    began = context.clock.now()
    sure = resumed[0] + SURE_S
    there = await queue.length()
    seen = moved = behind = 0
    while context.clock.now() < began + (WORK_S if moved or behind or began <= sure else SHORT_S):
        messages = await queue.receive(32, visibility_s=LOOK_S)
        if not messages:
            break
        waits = [await _waits(context, message) for message in messages]
        ready = [message for message, still in zip(messages, waits, strict=True) if not still]
        await gather_all([_move(context, message) for message in ready])
        seen, moved = seen + len(messages), moved + len(ready)
        if began > sure:
            old = [one for one, still in zip(messages, waits, strict=True) if still and one.put_at <= sure]
            await gather_all([_put_behind(queue, message) for message in old])
            behind += len(old)
    # Only a look at every message, hidden ones too, shows that none of them may go.
    if seen >= there and not moved and not behind and began > sure:
        await context.pauses.restored(resumed[1])
    if moved:
        telemetry.event("paused_work_restored", messages=moved)
    return moved


async def _waits(context: Context, message: Received) -> bool:
    part, mapping, _ = message.body.split("\n", 2)
    return await context.pauses.paused(mapping, part)


async def _put_behind(queue: Queue, message: Received) -> None:
    await queue.put(message.body)
    await queue.delete(message)


async def _move(context: Context, message: Received) -> None:
    """Puts before it deletes, so that a crash repeats a message and loses none."""
    part, _, body = message.body.split("\n", 2)
    kind, _, name = part.partition(":")
    lane = Lane(name) if kind == "lane" else Lane.CONTROL
    await context.lanes.queue(Lane.BACKFILL_HOLD if lane is Lane.BACKFILL else lane).put(body)
    await context.lanes.queue(Lane.PAUSED).delete(message)
