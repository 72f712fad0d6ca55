"""POST, GET, PATCH and DELETE of one profile, service or record of a custom resource (adobe.md B.5).

There is no upsert, no bulk and no precondition: what asks for one is refused.
"""

from __future__ import annotations

import random
from dataclasses import replace

from sandbox.campaign import refusal
from sandbox.campaign.catalogue import RESOURCES
from sandbox.campaign.options import CampaignOptions
from sandbox.campaign.represent import represent, timestamp
from sandbox.campaign.route import Route
from sandbox.campaign.schema import Link, Resource, Values
from sandbox.campaign.table import Row, Table, is_pkey
from sandbox.campaign.validate import POLICIES, validate
from sandbox.wire import Response, json_response

INDEXED = {"profile": ("externalId",), "service": ("name",)}
EXTENDED_PROFILE = ("profileAndServicesExt", "profile")


class Engine:
    """All tables of one instance and what may be done to a row."""

    def __init__(self, rng: random.Random, options: CampaignOptions) -> None:
        self._rng = rng
        self.tables: dict[str, Table] = {}
        self.resources: dict[str, Resource] = {}
        self._before: dict[str, Resource] = {}
        """Resources as they were before somebody altered them."""
        self.options = options
        for resource in RESOURCES.values():
            self._publish(resource)
        self.configure(options)

    def add(self, resource: Resource) -> None:
        """Publishes one more custom resource; raises ValueError for a name that is taken or a link into nowhere."""
        if resource.name in self.resources:
            raise ValueError(f"there is a resource {resource.name}")
        self._publish(resource)
        for link in resource.links:
            if link.target not in self.resources:
                raise ValueError(f"the link {link.name} leads to {link.target}, which is no resource")
        self.configure(self.options)

    def alter(self, name: str, *, remove: str = "", read_only: str = "", restore: str = "") -> None:
        """Changes one field of a resource and publishes it; what was written stays stored. `restore` undoes it."""
        table = self.tables[name]
        before = self._before.setdefault(name, table.resource)
        field = next((one for one in before.fields if one.name in (remove, read_only, restore)), None)
        if field is None:
            raise ValueError(f"{name} has no such field")
        fields = [one for one in table.resource.fields if one.name != field.name]
        if not remove:
            fields.append(replace(field, read_only=field.read_only or bool(read_only)))
        order = [one.name for one in before.fields]
        fields.sort(key=lambda one: order.index(one.name))
        table.resource = replace(table.resource, fields=tuple(fields))
        if name in self.resources:
            self.resources[name] = table.resource

    def withdraw(self, name: str) -> None:
        """Takes a resource out of the API; its records stay."""
        del self.resources[name]

    def republish(self, name: str) -> None:
        """Puts it back."""
        self.resources[name] = self.tables[name].resource

    def _publish(self, resource: Resource) -> None:
        columns = (link.column for link in resource.links)
        indexed = dict.fromkeys((*INDEXED.get(resource.name, ()), *resource.keys, *columns))
        table = Table(resource, self._rng, tuple(indexed))
        table.neighbours = self.tables
        self.tables[resource.name] = table
        self.resources[resource.name] = resource

    def configure(self, options: CampaignOptions) -> None:
        """Takes over other options; raises ValueError for impossible ones, and where values already repeat."""
        profiles = self.tables["profile"]
        texts = {field.name for field in profiles.resource.fields if field.kind == "string"}
        if unknown := sorted({*options.unique_fields, *options.policies} - texts):
            raise ValueError(f"profile has no text field {unknown[0]}")
        if unknown := sorted(set(options.policies.values()) - POLICIES.keys()):
            raise ValueError(f"no data policy {unknown[0]}")
        if options.dialect not in ("standard", "v8"):
            raise ValueError("the dialect is standard or v8")
        links = {f"{one.name}.{link.name}" for one in self.resources.values() for link in one.links}
        if unknown := sorted({*options.required_links, *options.cascading_links} - links):
            raise ValueError(f"no link {unknown[0]}")
        unique = _unique(profiles.resource, options)
        for name in unique:
            profiles.index(name)
            if profiles.repeats(name):
                raise ValueError(f"{name} cannot become unique: there are profiles that share a value")
        self.options = options
        profiles.left_out = frozenset(("timeZone",) if options.dialect == "v8" else ())
        for table in self.tables.values():
            table.required = self._named(table.resource, options.required_links)
            for link in table.required:
                self.tables[link.target].index(link.target_key)

    def _named(self, resource: Resource, names: tuple[str, ...]) -> tuple[Link, ...]:
        return tuple(link for link in resource.links if f"{resource.name}.{link.name}" in names)

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
            endpoint = f"{route.family}/{resource.name}"
            raise refusal.unparsable_key(key, resource.plural, resource.schema, endpoint)
        else:
            row = next(iter(table.find(table.key, key)), None)
        if row is None or table.hides(row):
            raise refusal.unknown_key(key, resource.name, resource.label)
        return row

    def is_key_addressed(self, route: Route, method: str) -> bool:
        """Whether a URI key may be an identification key: Ext profiles, GET and PATCH (adobe.md B.4)."""
        custom = route.resource is not None and bool(route.resource.keys)
        mode = self.options.custom_addressing if custom else self.options.addressing
        if mode != "key" or not (custom or (route.family, route.name) == EXTENDED_PROFILE):
            return False
        return not route.rest[0].startswith("@") and (method != "DELETE" or self.options.delete_by_key)

    def get(self, route: Route, base: str, now: float) -> Response:
        return json_response(200, self._shown(self.locate(route, "GET"), route, base, now))

    def create(self, route: Route, body: Values, base: str, now: float) -> Response:
        resource = route.resource
        if resource is None or route.rest:
            raise refusal.bad_path()
        table = self.tables[resource.name]
        values = validate(self._joined(body, resource), resource, route.family, self.options.policies)
        if resource.name == "service" and not values.get("name"):
            values["name"] = f"SVC{table.allotted + 1}"
        self._refuse_duplicate(resource, values, None)
        created = stamped({}, values, resource, now)
        if self.options.dates_creates:
            stamps = (stamp for name in values for stamp in resource.stamps.get(name, ()))
            created |= dict.fromkeys(stamps, timestamp(now))
        row = table.insert(created, now)
        shown = self._shown(row, route, base, now)
        if self.options.dialect == "standard":
            # v8 returns the values of linked resources after a POST (adobe.md D).
            shown |= dict.fromkeys(resource.by_link)
        return json_response(201, shown)

    def update(self, route: Route, body: Values, base: str, now: float) -> Response:
        """PATCH answers the PKey and the href alone; an empty body changes nothing (v8: 204)."""
        row = self.locate(route, "PATCH")
        resource = self._resource(route)
        by_key = not is_pkey(route.rest[0])
        before = row.values
        if self.options.dialect == "v8":
            if not body:
                return Response(204)
            for name in body.get("location", {}) if isinstance(body.get("location"), dict) else ():
                raise refusal.unknown_property(name, resource.name)
        for key in self._fixed(resource):
            if key in body and (by_key or before.get(key, "") != body[key]):
                raise refusal.key_change(resource.name, before.get(key, ""), str(body[key]))
        joined = self._joined(body, resource)
        changes = validate(joined, resource, route.family, self.options.policies)
        self._refuse_duplicate(resource, changes, row)
        if changes:
            self.tables[resource.name].update(row, before, stamped(before, changes, resource, now), now)
        href = f"{base}/{route.family}/{resource.name}/{row.pkey}"
        return json_response(200, {"PKey": row.pkey, "href": href})

    def delete(self, route: Route) -> Response:
        row = self.locate(route, "DELETE")
        self.remove(self.tables[route.name], row)
        return Response(200)

    def remove(self, table: Table, row: Row) -> None:
        """Deletes a row, and by `cascading_links` what links to it."""
        table.delete(row)
        for other in self.tables.values():
            for link in self._named(other.resource, self.options.cascading_links):
                key = row.values.get(link.target_key, "") if link.target == table.resource.name else ""
                for child in other.find(link.column, key) if key else ():
                    self.remove(other, child)

    def _joined(self, body: Values, resource: Resource) -> Values:
        """The body with each link given by PKey as the column that makes it (adobe.md B.5).

        A linked object given by its attributes is ignored, and an error in v8.
        """
        joined = dict(body)
        for name in resource.by_link.keys() & body.keys():
            link, told = resource.by_link[name], joined.pop(name)
            if not isinstance(told, dict):
                raise refusal.bad_value(told, name, "an item is expected.")
            if "PKey" not in told:
                if self.options.dialect == "v8" and told:
                    raise refusal.unknown_property(next(iter(told)), resource.name)
                continue
            if len(told) > 1 or link.column in body:
                raise refusal.invalid(f"The link '{name}' is given twice.")
            target = self.tables[link.target]
            other = target.by_pkey(str(told["PKey"]))
            if other is None or target.hides(other):
                raise refusal.unparsable_key(
                    str(told["PKey"]), target.resource.plural, target.resource.schema
                )
            value = other.values.get(link.target_key, "")
            if not value:
                raise refusal.invalid(f"The record that '{name}' leads to has no '{link.target_key}'.")
            joined[link.column] = value
        return joined

    def _fixed(self, resource: Resource) -> tuple[str, ...]:
        """Identification keys: they never change."""
        if resource.name == "profile" and self.options.addressing == "key":
            return ("externalId",)
        return resource.keys

    def _shown(self, row: Row, route: Route, base: str, now: float) -> Values:
        return represent(row, self.tables[route.name], route.family, base, now)

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
        return resource.keys
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
