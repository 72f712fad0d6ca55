"""POST, GET, PATCH and DELETE of one profile, service or custom resource (adobe.md B.5).

There is no upsert, no bulk and no precondition: what asks for one is refused.
"""

from __future__ import annotations

import random

from sandbox.campaign import refusal
from sandbox.campaign.catalogue import RESOURCES
from sandbox.campaign.options import CampaignOptions
from sandbox.campaign.represent import represent, timestamp
from sandbox.campaign.route import Route
from sandbox.campaign.schema import Resource, Values
from sandbox.campaign.table import Row, Table, is_pkey
from sandbox.campaign.validate import POLICIES, validate
from sandbox.wire import Response, json_response

INDEXED = {"profile": ("externalId",), "service": ("name",)}


class Engine:
    """All tables of one instance and what may be done to a row."""

    def __init__(self, rng: random.Random, options: CampaignOptions) -> None:
        self.tables = {
            name: Table(resource, rng, INDEXED.get(name, ())) for name, resource in RESOURCES.items()
        }
        self.options = options
        self.configure(options)

    def configure(self, options: CampaignOptions) -> None:
        """Takes over other options; raises ValueError for impossible ones, and where values already repeat."""
        profiles = self.tables["profile"]
        texts = {field.name for field in profiles.resource.fields if field.kind == "string"}
        if unknown := sorted({*options.unique_fields, *options.policies} - texts):
            raise ValueError(f"profile has no text field {unknown[0]}")
        if unknown := sorted(set(options.policies.values()) - POLICIES.keys()):
            raise ValueError(f"no data policy {unknown[0]}")
        unique = _unique(profiles.resource, options)
        for name in unique:
            profiles.index(name)
            if profiles.repeats(name):
                raise ValueError(f"{name} cannot become unique: there are profiles that share a value")
        self.options = options

    def locate(self, route: Route, method: str) -> Row:
        """The row a URI key names; raises the Refusal of the real service for every other key."""
        resource = route.resource
        if resource is None or len(route.rest) != 1:
            raise refusal.bad_path()
        key = route.rest[0]
        table = self.tables[resource.name]
        if is_pkey(key):
            row = table.by_pkey(key)
        elif not self.is_key_addressed(route, method):
            raise refusal.unparsable_key(key, resource.plural, resource.schema)
        else:
            row = next(iter(table.find("externalId", key)), None)
        if row is None:
            raise refusal.unknown_key(key, resource.name, resource.label)
        return row

    def is_key_addressed(self, route: Route, method: str) -> bool:
        """Whether a URI key may be an externalId: Ext profiles, GET and PATCH (adobe.md B.4)."""
        extended_profile = (route.family, route.name) == ("profileAndServicesExt", "profile")
        if self.options.addressing != "key" or not extended_profile:
            return False
        return not route.rest[0].startswith("@") and (method != "DELETE" or self.options.delete_by_key)

    def get(self, route: Route, base: str, now: float) -> Response:
        return json_response(200, self._shown(self.locate(route, "GET"), route, base, now))

    def create(self, route: Route, body: Values, base: str, now: float) -> Response:
        resource = route.resource
        if resource is None or route.rest:
            raise refusal.bad_path()
        table = self.tables[resource.name]
        values = validate(body, resource, route.family, self.options.policies)
        if resource.name == "service" and not values.get("name"):
            values["name"] = f"SVC{table.allotted + 1}"
        self._refuse_duplicate(resource, values, None)
        created = stamped({}, values, resource, now)
        if self.options.dates_creates:
            stamps = (stamp for name in values for stamp in resource.stamps.get(name, ()))
            created |= dict.fromkeys(stamps, timestamp(now))
        row = table.insert(created, now)
        return json_response(201, self._shown(row, route, base, now))

    def update(self, route: Route, body: Values, base: str, now: float) -> Response:
        """PATCH answers the PKey and the href alone; an empty body changes nothing."""
        row = self.locate(route, "PATCH")
        resource = self._resource(route)
        by_key = not is_pkey(route.rest[0])
        before = row.values
        if resource.name == "profile" and self.options.addressing == "key" and "externalId" in body:
            old, new = before.get("externalId", ""), body["externalId"]
            if by_key or old != new:
                raise refusal.key_change(resource.name, old, str(new))
        changes = validate(body, resource, route.family, self.options.policies)
        self._refuse_duplicate(resource, changes, row)
        if changes:
            self.tables[resource.name].update(row, before, stamped(before, changes, resource, now), now)
        href = f"{base}/{route.family}/{resource.name}/{row.pkey}"
        return json_response(200, {"PKey": row.pkey, "href": href})

    def delete(self, route: Route) -> Response:
        row = self.locate(route, "DELETE")
        self.tables[route.name].delete(row)
        return Response(200)

    def _shown(self, row: Row, route: Route, base: str, now: float) -> Values:
        return represent(row, self._resource(route), route.family, base, now)

    @staticmethod
    def _resource(route: Route) -> Resource:
        if route.resource is None:
            raise refusal.bad_path()
        return route.resource

    def _refuse_duplicate(self, resource: Resource, changes: Values, row: Row | None) -> None:
        table = self.tables[resource.name]
        for name in _unique(resource, self.options):
            value = changes.get(name)
            if value and any(found is not row for found in table.find(name, value)):
                raise refusal.duplicate(resource.label, resource.table, name.lower(), value)


def _unique(resource: Resource, options: CampaignOptions) -> tuple[str, ...]:
    """The fields no two rows share; an empty value is shared by any number of rows."""
    if resource.name == "service":
        return ("name",)
    if resource.name != "profile":
        return ()
    return (*(("externalId",) if options.addressing == "key" else ()), *options.unique_fields)


def stamped(before: Values, changes: Values, resource: Resource, now: float) -> Values:
    """The row after the changes: nested items merged, empty values left out, opt-out changes dated."""
    after = dict(before)
    for name, value in changes.items():
        field = resource.by_name[name]
        if field.items:
            merged = {**after.get(name, {}), **value}
            value = {inner: text for inner, text in merged.items() if text != field.nested[inner].empty}
        if value == field.empty or value == {}:
            after.pop(name, None)
        else:
            after[name] = value
        if before.get(name, field.empty) != after.get(name, field.empty):
            for stamp in resource.stamps.get(name, ()):
                after[stamp] = timestamp(now)
    return after
