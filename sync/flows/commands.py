"""Commands: the messages of the `control` lane (run now, full read, sweep, a job's step, expire)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sync.model import Lane
from sync.storage.lanes import Lanes, MessageUnreadable


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    mapping: str


class RunNow(_Command):
    """Pull at once: a manual timer run is unreliable on Flex (reference azure.md 2.4)."""

    verb: Literal["pull"] = "pull"


class FullRead(_Command):
    """Read the page group `group` of a generation."""

    verb: Literal["full_read"] = "full_read"
    epoch: int
    generation: int
    group: int = 0


class Sweep(_Command):
    """Find deletes nobody reported, from `bucket` on."""

    verb: Literal["sweep"] = "sweep"
    epoch: int
    generation: int
    bucket: int = 0


class JobStep(_Command):
    """Work the step `step` of a job; what it is about stands in its row."""

    verb: Literal["job"] = "job"
    job: str
    step: int = 0


class Expire(BaseModel):
    """Go on removing old rows: a run that had too much to do sends it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    verb: Literal["expire"] = "expire"
    kinds: tuple[str, ...] = ()
    """What is left to do; empty: all."""


AnyCommand = RunNow | FullRead | Sweep | JobStep | Expire
_ADAPTER: TypeAdapter[AnyCommand] = TypeAdapter(Annotated[AnyCommand, Field(discriminator="verb")])


def read_command(body: str) -> AnyCommand:
    """The command of a message; raises MessageUnreadable."""
    try:
        return _ADAPTER.validate_json(body)
    except ValidationError:
        raise MessageUnreadable("a message that is not a command") from None


async def send(lanes: Lanes, command: AnyCommand, *, delay_s: float = 0.0) -> None:
    """Queue a command."""
    await lanes.queue(Lane.CONTROL).put(command.model_dump_json(), delay_s=delay_s)
