"""A workflow of Campaign's that writes the profiles changed since its last run into a file, as docs/consent.md asks."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from sync.flows import consent_exports
from sync.storage.logs import MemoryLogs
from tests.simulation.scenario import MAPPING

if TYPE_CHECKING:
    from tests.simulation.consent.world import ConsentWorld


class Workflow:
    """`every` how many seconds; `dated`: the file tells when each profile changed."""

    def __init__(self, world: ConsentWorld, rng: random.Random) -> None:
        self.world = world
        self.rng = rng
        self.every = rng.choice((4.0, 10.0))
        self.dated = rng.random() < 0.6
        self.logs = MemoryLogs(world.now)
        self.logs.piece = rng.choice((40, 100_000))
        self.written: dict[str, str] = {}
        """When each profile had changed that was written last."""
        self.count = 0

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.world.wait(self.every * (0.7 + 0.6 * self.rng.random()))
            self.write()

    def changed(self) -> dict[str, str]:
        """What is not in a file yet."""
        shown = {str(row["externalId"]): str(row["lastModified"]) for row in self.world.campaign.dump()}
        return {name: at for name, at in shown.items() if self.written.get(name) != at}

    def write(self) -> None:
        """One file; sometimes it is met half written."""
        changed = self.changed()
        if not changed:
            return
        self.count += 1
        name = f"profiles-{self.count:04d}.csv"
        header = "externalId,lastModified" if self.dated else "lastName,externalId"
        lines = [header, *(f"{key},{at}" if self.dated else f"x,{key}" for key, at in changed.items())]
        data = "\n".join(lines).encode() + b"\n"
        if self.rng.random() < 0.3:
            self.logs.put(name, data[: self.rng.randrange(len(data))])
            self.world.loop.call_later(self.rng.random(), self.logs.put, name, data)
        else:
            self.logs.put(name, data)
        self.written.update(changed)
        self.world.outcomes["export_file"] += 1
        self.world.note("campaign", f"writes {name}: {len(changed)}")

    def all_read(self) -> bool:
        """Whether every change is in a file and every file is read."""
        rows = self.world.account.tables["control"].rows
        stored = rows.get((MAPPING, f"note-{consent_exports.NOTE}"))
        noted: dict[str, Any] = json.loads(str(stored.entity["text"])) if stored else {}
        read = noted.get("files", {})
        done = {(name, told["etag"]) for name, told in read.items() if told["done"]}
        since = noted.get("since", 0.0)
        files = [file for _, file in self.logs.content.values() if file.modified >= since]
        return not self.changed() and all((file.name, file.etag) in done for file in files)
