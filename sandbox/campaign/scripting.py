"""What tests and demos do to an instance from outside: seed, edit, break, look.

Each is a method here and a command over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from sandbox.campaign.engine import Engine, stamped
from sandbox.campaign.gateway import Gateway
from sandbox.campaign.options import Addressing, RateLimit
from sandbox.campaign.orders import made_up
from sandbox.campaign.represent import represent
from sandbox.campaign.schema import Resource, Values
from sandbox.campaign.table import Row, Table, is_pkey
from sandbox.wire import Entry, Fault, Faults

if TYPE_CHECKING:
    from sandbox.campaign.service import CampaignService

FAULTS = ("status", "drop_before", "drop_after", "status_after", "delay", "garbage", "lands_late")
"""`lands_late`: the connection closes without an answer, and the request is applied `delay_s` later."""

_LINKS = ("href", "subscriptions")


class Scripted:
    """The scripting methods; ids are PKeys or externalIds, no check of the API applies to them."""

    engine: Engine
    gateway: Gateway
    faults: Faults
    log: list[Entry]
    _clock: Callable[[], float]
    _shift: float

    def now(self) -> float:
        raise NotImplementedError

    def land(self) -> None:
        raise NotImplementedError

    def forget_late(self) -> None:
        raise NotImplementedError

    def seed(self, records: list[Values], resource: str = "profile") -> list[str]:
        """Writes records as given (a known `PKey` or externalId is updated); returns their PKeys."""
        self.land()
        return [self._upsert(self.engine.tables[resource], record) for record in records]

    def edit(self, id: str, changes: Values, resource: str = "profile") -> None:
        """Changes one record as a person in Campaign would."""
        self.land()
        table = self.engine.tables[resource]
        self._write(table, self._rows(table, id)[0], changes)

    def delete(self, id: str, resource: str = "profile") -> int:
        """Deletes the record of a PKey, or all records of an externalId; returns how many."""
        self.land()
        table = self.engine.tables[resource]
        rows = self._rows(table, id)
        for row in rows:
            self.engine.remove(table, row)
        return len(rows)

    def dump(self, resource: str = "profile") -> list[Values]:
        """All records as the widest API family shows them, hidden ones too, oldest first, without links."""
        self.land()
        table, now = self.engine.tables[resource], self.now()
        family = table.resource.families[-1]
        left_out = {*_LINKS, *table.resource.by_link}
        shown = [represent(row, table, family, "", now) for row in table.scan()]
        return [{name: value for name, value in record.items() if name not in left_out} for record in shown]

    def hidden(self, resource: str) -> list[str]:
        """Keys of the records that exist and cannot be reached, because a required link leads nowhere."""
        self.land()
        table = self.engine.tables[resource]
        return [str(row.values.get(table.key, "")) for row in table.scan() if table.hides(row)]

    def custom_resource(self, name: str, **told: Any) -> str:
        """Publishes one more custom resource (`orders.made_up`); answers its path below the tenant."""
        resource = made_up(name, **told)
        self.engine.add(resource)
        return f"/{resource.families[0]}/{name}"

    def change_metadata(
        self,
        resource: str = "profile",
        remove_field: str = "",
        read_only_field: str = "",
        restore_field: str = "",
        withdraw: bool | None = None,
    ) -> None:
        """Removes a field of a resource, makes it read-only or as it was; takes the resource out of the API or back."""
        if withdraw is not None:
            (self.engine.withdraw if withdraw else self.engine.republish)(resource)
        if remove_field or read_only_field or restore_field:
            self.engine.alter(resource, remove=remove_field, read_only=read_only_field, restore=restore_field)

    def reset(self) -> None:
        """Empties the instance: records, tokens, faults, late requests and log; new records get new PKeys."""
        for table in self.engine.tables.values():
            table.clear()
        self.gateway.revoke()
        self.faults.clear()
        self.forget_late()
        self.log.clear()

    def advance(self, seconds: float) -> None:
        self._shift += seconds

    def set_clock(self, seconds: float) -> None:
        self._shift = seconds - self._clock()

    def change_options(self, **changes: Any) -> None:
        """Changes `CampaignOptions` of the running instance."""
        self.engine.configure(replace(self.engine.options, **changes))

    def _upsert(self, table: Table, record: Values) -> str:
        values = {name: value for name, value in record.items() if name != "PKey"}
        row = table.by_pkey(record.get("PKey", ""))
        if row is None and table.key and values.get(table.key):
            row = next(iter(table.find(table.key, values[table.key])), None)
        if row is None:
            row = table.insert(self._after({}, values, table.resource), self.now())
        else:
            self._write(table, row, values)
        return row.pkey

    def _write(self, table: Table, row: Row, changes: Values) -> None:
        before = row.values
        table.update(row, before, self._after(before, changes, table.resource), self.now())

    def _after(self, before: Values, changes: Values, resource: Resource) -> Values:
        if unknown := sorted(set(changes) - set(resource.by_name)):
            raise ValueError(f"{resource.name} has no field {unknown[0]}")
        return stamped(before, changes, resource, self.now())

    def _rows(self, table: Table, id: str) -> tuple[Row, ...]:
        row = table.by_pkey(id) if is_pkey(id) else None
        rows = (row,) if row is not None else table.find(table.key or "externalId", id)
        if not rows:
            raise ValueError(f"no {table.resource.name} {id}")
        return rows


def _log(service: CampaignService, since: int = 0) -> Values:
    return {"entries": [asdict(entry) for entry in service.log[since:]], "next": len(service.log)}


def _clock(service: CampaignService, advance_s: float | None = None, set: float | None = None) -> Values:
    if set is not None:
        service.set_clock(set)
    if advance_s is not None:
        service.advance(advance_s)
    return {"now": service.now()}


def _clear_faults(service: CampaignService) -> Values:
    fired = [{"kind": fault.kind, "fired": fault.fired} for fault in service.faults.items]
    service.faults.clear()
    return {"faults": fired}


def _options(service: CampaignService, **changes: Any) -> Values:
    service.change_options(**changes)
    return {}


def _unique(service: CampaignService, field: str, enabled: bool = True) -> Values:
    others = tuple(name for name in service.options.unique_fields if name != field)
    return _options(service, unique_fields=(*others, field) if enabled else others)


def _rate_limit(
    service: CampaignService, calls: int | None = None, window_s: float = 300.0, retry_after: bool = True
) -> Values:
    limit = None if calls is None else RateLimit(calls, window_s, retry_after)
    return _options(service, rate_limit=limit)


def _addressing(service: CampaignService, mode: Addressing) -> Values:
    return _options(service, addressing=_mode(mode))


def _mode(mode: Addressing) -> Addressing:
    if mode not in ("key", "filter", "none"):
        raise ValueError("mode is key, filter or none")
    return mode


def _fault(service: CampaignService, **arguments: Any) -> Values:
    fault = Fault(**arguments)
    if fault.kind not in FAULTS:
        raise ValueError(f"kind is one of {', '.join(FAULTS)}")
    service.faults.add(fault)
    return {}


def _rekey(service: CampaignService) -> Values:
    for table in service.engine.tables.values():
        table.rekey()
    return {}


def _done(result: None) -> Values:
    return {}


COMMANDS: dict[str, Callable[..., Values]] = {
    "seed": lambda service, **given: {"ids": service.seed(**given)},
    "edit": lambda service, **given: _done(service.edit(**given)),
    "delete": lambda service, **given: {"deleted": service.delete(**given)},
    "dump": lambda service, **given: {"records": service.dump(**given)},
    "hidden": lambda service, **given: {"ids": service.hidden(**given)},
    "custom_resource": lambda service, **given: {"path": service.custom_resource(**given)},
    "change_metadata": lambda service, **given: _done(service.change_metadata(**given)),
    "custom_addressing": lambda service, mode: _options(service, custom_addressing=_mode(mode)),
    "required_links": lambda service, names: _options(service, required_links=tuple(names)),
    "cascading_links": lambda service, names: _options(service, cascading_links=tuple(names)),
    "dialect": lambda service, name: _options(service, dialect=name),
    "reset": lambda service: _done(service.reset()),
    "clock": _clock,
    "log": _log,
    "fault": _fault,
    "clear_faults": _clear_faults,
    "addressing": _addressing,
    "delete_by_key": lambda service, enabled: _options(service, delete_by_key=bool(enabled)),
    "time_filter": lambda service, enabled: _options(service, time_filter=bool(enabled)),
    "unique": _unique,
    "policies": lambda service, **fields: _options(service, policies=fields),
    "rate_limit": _rate_limit,
    "revoke_tokens": lambda service: _done(service.gateway.revoke()),
    "rekey": _rekey,
}
"""Command name → what it does; the arguments are the JSON object of the command."""
