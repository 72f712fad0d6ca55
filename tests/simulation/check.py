"""What must hold when a faultless system has come to rest."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sync.model import LedgerRow, State
from tests.simulation.oracle import DELETED, LEFT
from tests.simulation.people import NOBODY
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World


def at_rest(world: World, *, again: bool = False) -> None:
    """Raise Violation with everything that is wrong; `again`: crashed bookkeeping had its time to be mended too."""
    wrong = [*world.witness.violations, *world.host.unexpected]
    profiles: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for profile in world.campaign.dump():
        profiles[profile["externalId"]].append(profile)
    rows = world.ledger_rows()
    for record_id in world.people.ids:
        row = rows.pop(record_id, None)
        wrong += [
            f"{record_id}: {text}" for text in _record(world, record_id, row, profiles.pop(record_id, []))
        ]
    for stranger in world.people.strangers:
        profiles.pop(stranger, None)
        row = rows.pop(stranger, None)
        if row is not None and row.state not in (State.DELETED, State.PARKED):
            wrong.append(f"a stranger that is {row.state}")
    wrong += [f"a profile nobody asked for: {name}" for name in profiles]
    nobody = rows.pop(NOBODY, None)
    wrong += [f"{NOBODY}: {nobody.state}"] if nobody is not None and nobody.state is not State.DELETED else []
    wrong += [f"a ledger row of nobody: {name}" for name in rows]
    waiting = {parked.record_id for parked in world.clean_parked()}
    braked = {row.record_id for row in world.ledger_rows().values() if row.state is State.PARKED}
    if braked - waiting or (again and waiting != braked):
        wrong.append(f"parked rows {sorted(waiting)} for {sorted(braked)}")
    scenario = world.scenario
    over = world.witness.over_limit(scenario.limit, scenario.window_s)
    over = over or world.witness.over_rate(
        scenario.limit, scenario.window_s, scenario.burst, max(2 * scenario.chunk, 4)
    )
    if over:
        wrong.append(over)
    differs = {"edited", "missing", "stale", "rewritten"}.intersection(world.last_look()) if again else set()
    if differs:
        wrong.append(f"reconcile: {sorted(differs)} in a synced system")
    if wrong:
        raise Violation("; ".join(wrong[:6]))


def _record(world: World, record_id: str, row: LedgerRow | None, profiles: list[dict[str, Any]]) -> list[str]:
    if len(profiles) > 1:
        return [f"I2: {len(profiles)} profiles"]
    profile = profiles[0] if profiles else None
    if row is not None:
        world.outcomes[f"state_{row.state.value}"] += 1
        if row.claimed:
            return ["I7: an open claim at rest"]
        if row.unresolved and row.state in (State.SYNCED, State.NEW):
            return [f"I7: unresolved at rest, {row.state}"]
    if record_id in world.witness.blocked:
        fits = row is None or (row.state is State.DELETED and row.code == "blocked" and not row.hash)
        return [] if profile is None and fits else [f"blocked, but {row} and profile {profile is not None}"]
    if row is not None and row.heir != (wanted := world.people.heir(record_id, row.heir)):
        return [f"its e-mail events go to {row.heir or 'itself'}, not to {wanted or 'itself'}"]
    if world.people.alive(record_id) and not world.people.lost(record_id):
        return _living(world, record_id, row, profile)
    return _gone(world, record_id, row, profile)


def _living(world: World, record_id: str, row: LedgerRow | None, profile: dict[str, Any] | None) -> list[str]:
    people = world.people
    expected = people.mapping.updates(people.current(record_id))
    if row is None:
        return ["I1: never seen"]
    if row.state is State.QUARANTINED:
        return [] if _quarantine_is_right(world, record_id, row, expected is None) else [f"I7: {row.code}"]
    if not people.mapping.wanted(people.current(record_id)):
        return _outside(world, record_id, row, profile)
    if row.state is State.FILTERED and row.code == "not_in_first_load":
        return _left_for_later(world, record_id, profile)
    if expected is None:
        return [f"I7: bad data, but {row.state}"]
    if row.state is State.HOLD:
        return (
            []
            if world.may_hold(record_id, row, profile)
            else [f"I1: on hold, {row.code}, profile {'there' if profile else 'missing'}"]
        )
    if row.state is not State.SYNCED:
        return [f"I7: at rest {row.state} {row.code}"]
    if record_id in people.edited and not world.healed:
        # What somebody edited in Campaign stays so, in a profile that is erased afterwards too.
        expected.pop("lastName", None)
    if profile is None:
        # Nothing new to send, so nobody looked: what we sent last is what the record still says.
        erased = people.erased.get(record_id, {})
        unnoticed = bool(erased) and all(erased.get(name, value) == value for name, value in expected.items())
        return [] if unnoticed and not world.healed else ["I1: no profile"]
    differs = [name for name, value in expected.items() if profile[name] != value]
    if differs:
        return [f"I1: {', '.join(f'{name} {profile[name]!r} not {expected[name]!r}' for name in differs)}"]
    return []


def _left_for_later(world: World, record_id: str, profile: dict[str, Any] | None) -> list[str]:
    """A record that the first load left out: it has not changed since that began, and no epoch ended."""
    people = world.people
    world.outcomes["left_for_later"] += 1
    if people.mapping.at_first(people.current(record_id)) or people.rebaselined:
        return ["I1: left for later, but it is in the first load"]
    if people.touched[record_id] > world.first_read:
        return ["I1: left for later, though it has changed since"]
    return [] if profile is None else ["I1: left for later, but its profile is there"]


def _outside(world: World, record_id: str, row: LedgerRow, profile: dict[str, Any] | None) -> list[str]:
    """A record in Dynamics that the filter leaves out; what was kept of it was judged when it was written."""
    leaving = world.people.mapping.leaving
    if row.state is State.PARKED and leaving == "delete":
        return ["the brake at 50 deletes"] if world.scenario.brake_min >= 50 else []
    if row.state is State.HOLD and record_id in world.people.erased and profile is None:
        return []
    if row.state is not State.FILTERED:
        return [f"I7: outside the filter, but {row.state} {row.code}"]
    world.outcomes[f"outside_{leaving}_{'there' if profile else 'nothing'}"] += 1
    if profile is None or leaving == "keep":
        return []
    if leaving == "delete":
        return ["I1: outside the filter, but its profile is there"]
    return [] if profile["fax"] == LEFT else [f"I1: outside the filter, fax {profile['fax']!r}"]


def _quarantine_is_right(world: World, record_id: str, row: LedgerRow, bad_data: bool) -> bool:
    if row.code == "email_invalid":
        return bad_data
    if row.code == "crashes_worker":
        return world.people.trouble.killed >= 5 or world.chaos.fired["crash"] >= 5
    if row.code == "campaign_garbled":
        return world.chaos.fired["garbage"] >= 6
    if row.code == "campaign_error":
        return world.people.trouble.outages + world.chaos.fired["engine_500"] >= 6
    return False


def _gone(world: World, record_id: str, row: LedgerRow | None, profile: dict[str, Any] | None) -> list[str]:
    if row is None:
        # What was deleted while an epoch ended is found by a comparison, where it may be deleted at all.
        left = world.people.rebaselined and not (world.healed and world.people.mapping.deletes is True)
        return ["I1: a profile without ledger row"] if profile and not left else []
    if row.state is State.PARKED and row.code == "delete_brake":
        if world.scenario.brake_min >= 50:
            return ["the brake at 50 deletes"]
        return []
    if row.state is State.HOLD:
        return [] if record_id in world.people.erased else ["I7: gone and on hold"]
    if row.state is not State.DELETED:
        return [f"I7: gone, but {row.state} {row.code}"]
    deletes = world.people.mapping.deletes
    if profile is not None and (deletes is True or world.people.lost(record_id)):
        return ["I1: gone, but its profile is there"]
    if profile is not None and deletes == "mark" and profile["fax"] != DELETED:
        return [f"I1: gone, fax {profile['fax']!r}"]
    return []
