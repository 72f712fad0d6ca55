"""fence: after a rebaseline nobody writes until no call of the epoch before can land any more (design 4.1)."""

from __future__ import annotations

from sync.flows.context import Context
from sync.storage.watermarks import Progress


def fenced_s(context: Context, progress: Progress) -> float:
    """For how many seconds a call of the epoch before may still land; 0 once no claim of it can be open.

    The first generation of an epoch starts after that, so from then on nobody waits.
    """
    if progress.generation or not progress.started:
        return 0.0
    settings = context.settings
    last = settings.takeover_at(settings.claim_deadline(progress.started))
    return max(last - context.clock.now(), 0.0)
