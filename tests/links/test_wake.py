"""What `wake_parked` sends again, and what it leaves alone."""

from __future__ import annotations

import pytest

from sync.flows import wake
from sync.flows.context import Context
from sync.flows.pause import part_of
from sync.model import Lane, State
from sync.planning.plan import DELETE_BRAKE
from sync.storage.history import Parked
from tests.links.family import Family, ident

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 24 * 3600.0


async def waiting_delete() -> Family:
    """A contact that is gone in Dynamics while its order still points to it."""
    family = Family()
    family.put("contacts", 1, lastname="S")
    family.put("orders", 1, cr_ordernumber="A1", _cr_contactid_value=ident("contacts", 1))
    await family.until_quiet()
    family.dynamics.organization.tables["cr_order"].pointing.clear()
    family.gone("contacts", 1)
    await family.until_quiet()
    assert (family.row("contacts", 1).state, family.row("contacts", 1).code) == (
        State.PARKED,
        "children_left",
    )
    return family


def lose_messages(family: Family) -> int:
    """Take what waits in the live lane away, as if it had been worked without effect; how many messages."""
    messages = family.account.queues["live"].messages
    count = len(messages)
    messages.clear()
    return count


async def minutes(family: Family, hours: int) -> int:
    """Wake every minute for some hours, every message lost; how many there were."""
    sent = 0
    for _ in range(hours * 60):
        family.clock.at += MINUTE_S
        await family.app.wake_parked()
        sent += lose_messages(family)
    return sent


async def lost_wake_up(monkeypatch: pytest.MonkeyPatch) -> Family:
    """An order that waits though its contact has landed."""
    family = Family()
    family.put("orders", 1, cr_ordernumber="A1", _cr_contactid_value=ident("contacts", 1))
    await family.until_quiet()
    family.put("contacts", 1, lastname="S")
    with monkeypatch.context() as patch:
        patch.setattr("sync.flows.links.wake_children", nothing)
        await family.settle()
    assert (family.row("contacts", 1).state, family.row("orders", 1).state) == (State.SYNCED, State.PARKED)
    family.clock.at += 2 * HOUR_S
    return family


async def nothing(*_: object) -> None:
    """A wake-up that a crash lost."""


async def test_a_child_is_sent_once_an_hour_and_given_up_after_a_week(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    family = await lost_wake_up(monkeypatch)
    assert await minutes(family, 6) == 6
    family.clock.at += 8 * DAY_S
    assert await minutes(family, 1) == 1
    await family.app.wake_parked()
    assert family.row("orders", 1).state is State.PARKED
    assert await minutes(family, 1) == 0
    assert (family.row("orders", 1).state, family.row("orders", 1).code) == (
        State.QUARANTINED,
        "waited_too_long",
    )


@pytest.mark.parametrize("why", ["paused", "drifted"])
async def test_nothing_is_sent_to_a_mapping_that_sets_its_messages_aside(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = await lost_wake_up(monkeypatch)
    context = family.app.context
    if why == "paused":
        await context.pauses.pause("orders", [part_of(Lane.LIVE)], "me", "maintenance")
    else:
        # Each pull would say so again.
        monkeypatch.setattr("sync.storage.control.PAUSE_SEEN_S", DAY_S)
        await context.drifted("orders", "a column is gone")
    family.clock.at += 10
    assert await minutes(family, 2) == 0
    family.clock.at += 8 * DAY_S
    if why == "paused":
        await context.pauses.resume("orders", [part_of(Lane.LIVE)])
    family.clock.at += 10
    await family.until_quiet()
    assert family.row("orders", 1).state is State.SYNCED


async def test_a_delete_whose_last_child_went_unnoticed_is_sent_once_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    family = await waiting_delete()
    family.gone("orders", 1)
    with monkeypatch.context() as patch:
        patch.setattr("sync.flows.links.wake_parent", nothing)
        await family.settle()
    assert family.links() == []
    assert await minutes(family, 6) == 6
    family.clock.at += HOUR_S
    await family.until_quiet()
    assert family.shown("contacts") == {}
    assert family.parked() == []


async def test_the_children_of_a_delete_that_is_held_are_left_alone_for_longer_and_longer() -> None:
    family = await waiting_delete()
    assert await minutes(family, 24) == 5
    assert await minutes(family, 240) <= 12


async def test_many_deletes_that_wait_for_approval_do_not_keep_the_children_from_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    family = await lost_wake_up(monkeypatch)
    context = family.app.context
    for number in range(50):
        waits = Parked(
            "approval:accounts", "accounts", ident("accounts", number), DELETE_BRAKE, family.clock.at
        )
        await context.parked.add(waits)
    looked: list[str] = []

    async def slow(context: Context, parked: Parked) -> int:
        looked.append(parked.record_id)
        family.clock.at += wake.WORK_S / 20
        return 0

    monkeypatch.setattr(wake, "_braked", slow)
    sent = []
    for _ in range(3):
        await family.app.wake_parked()
        sent.append(lose_messages(family))
    assert sent == [0, 0, 1]
    assert looked == [ident("accounts", number) for number in range(50)]
