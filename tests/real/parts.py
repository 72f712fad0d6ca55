"""What the tests on real parts share: a fast-ticking setup, a seeded tenant, and waiting for a state."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.demo.compare import Difference, differences
from sandbox.demo.remote import health
from sandbox.demo.stack import Setup, Stack
from sandbox.demo.story import Story, make_story
from sandbox.demo.tenant import make_tenant
from sandbox.host.launch import FUNCTION_KEY

NOWHERE = "http://127.0.0.1:9"
"""An address where nobody listens."""
LEASE_S = 5
"""Message lease; with the times below a claim can be taken over after 2.5 + 1 + 1 s."""
SETTINGS = {
    "CALL_TIMEOUT_S": "1",
    "GATEWAY_S": "1",
    "SKEW_S": "1",
    "PULL_SCHEDULE": "*/2 * * * * *",
    "FEED_SCHEDULE": "*/2 * * * * *",
    "WAKE_SCHEDULE": "*/5 * * * * *",
    "CAMPAIGN_LIMIT": "60000",
    # As an instance that is known already: otherwise a first start asks Campaign before it reads anything.
    "CAMPAIGN_ADDRESSING": "key",
    "CAMPAIGN_DIALECT": "standard",
}


SLOW_WORK = {
    "CAMPAIGN_CONCURRENCY": "4",
    "AzureFunctionsJobHost__extensions__queues__batchSize": "4",
    "AzureFunctionsJobHost__extensions__queues__newBatchThreshold": "1",
}
"""Few messages and calls at a time, so that a small load is long enough to be interrupted."""


def fast(folder: Path, **settings: str) -> Setup:
    """A setup for tests: ticks every 2 s, short leases; logs go to `folder`."""
    return Setup(SETTINGS | settings, message_lease_s=LEASE_S, folder=folder)


def tenant(stack: Stack, count: int, *, seed: int = 1) -> Story:
    """`count` contacts in Dynamics, the awkward ones among them."""
    rng = random.Random(seed)
    story = make_story(stack.dynamics, make_tenant(count, rng), rng)
    story.seed()
    return story


def disagreement(stack: Stack, story: Story) -> list[Difference]:
    """Where the sides differ now."""
    return differences(stack.dynamics.records(), stack.campaign.records(), stack.storage.ledger(), story.bad)


def until(condition: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    """Waits for `condition`; fails with what `what` says."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds:.0f} s: {what()}"
        time.sleep(0.2)


def settled(stack: Stack, story: Story, seconds: float) -> None:
    """Waits until both sides agree and nothing is left to do."""

    def done() -> bool:
        return not stack.storage.waiting() and not disagreement(stack, story)

    def open_ends() -> str:
        log = stack.told()[-2000:]
        return f"{disagreement(stack, story)[:5]}, waiting {stack.storage.waiting()}, log: {log}"

    until(done, seconds, open_ends)


def host_says(stack: Stack, words: str, seconds: float = 15.0, *, since: int = 0) -> None:
    """Waits until the log of host and app contains `words` behind its first `since` characters."""

    def log() -> str:
        return stack.told(since)

    until(lambda: words in log(), seconds, lambda: log()[-3000:])


def code(name: str) -> str:
    """As a log event shows it."""
    return f'"code":"{name}"'


def waiting(running: Stack) -> dict[str, str]:
    """What `health` says the contacts flow waits for, by step."""
    assert running.host is not None
    found: dict[str, str] = health(running.host.url, FUNCTION_KEY)["mappings"][0]["waiting"]
    return found


def health_tells(running: Stack, step: str, wanted: str | None) -> None:
    """Waits until `health` names the code for the step (None: no code)."""
    until(lambda: waiting(running).get(step) == wanted, 20, lambda: str(waiting(running)))
