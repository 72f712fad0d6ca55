"""Rows and privileges that every organization has."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import NAMESPACE_OID, uuid5

from sandbox.dynamics.columns import Row
from sandbox.dynamics.options import DynamicsOptions

CUSTOMIZING = (
    "prvCreateEntity", "prvWriteEntity", "prvDeleteEntity", "prvCreateAttribute", "prvDeleteAttribute",
    "prvPublishCustomization",
)  # fmt: skip
DEFINITIONS = ("prvReadEntity", "prvReadAttribute", "prvReadRelationship")
"""Reading definitions; the first one is asked for."""
INJECTED = (
    "prvReadSharePointData", "prvCreateSharePointData", "prvWriteSharePointData", "prvReadSharePointDocument",
    "prvReadSdkMessage", "prvReadSdkMessageProcessingStep", "prvReadPluginAssembly", "prvReadPluginType",
    "prvReadOrganization",
)  # fmt: skip
"""What every new role has without being asked (dataverse.md 4.5 says about nine; which ones is our choice)."""


def privilege_id(name: str) -> str:
    """A fixed GUID for a name."""
    return str(uuid5(NAMESPACE_OID, name))


def founding_rows(
    options: DynamicsOptions, organization_id: str, privileges: Iterable[str]
) -> list[tuple[str, str, Row]]:
    """(table, id, values) of an empty organization."""
    user, currency = options.user_id, options.currency_id
    days = options.expire_change_tracking_in_days
    fixed: list[tuple[str, str, Row]] = [
        (
            "organization",
            organization_id,
            {"name": "local", "expirechangetrackingindays": days, "languagecode": 1033},
        ),
        (
            "systemuser",
            user,
            {"fullname": "# Campaign sync", "applicationid": privilege_id(options.client_id)},
        ),
        *(
            (
                "systemuser",
                one.user_id,
                {"fullname": f"# {one.client_id}", "applicationid": privilege_id(one.client_id)},
            )
            for one in options.applications
        ),
        ("systemuser", options.owner_id, {"fullname": "Sam Sales"}),
        ("businessunit", options.business_unit_id, {"name": "local"}),
        (
            "publisher",
            privilege_id("publisher new"),
            {
                "uniquename": "DefaultPublisherlocal",
                "friendlyname": "Default Publisher",
                "customizationprefix": "new",
                "customizationoptionvalueprefix": 10000,
            },
        ),
        (
            "solution",
            privilege_id("solution default"),
            {
                "uniquename": "Default",
                "friendlyname": "Default Solution",
                "version": "1.0",
                "_publisherid_value": privilege_id("publisher new"),
            },
        ),
        ("transactioncurrency", currency, {"currencyname": "US Dollar", "isocurrencycode": "USD"}),
    ]
    fixed += [("privilege", privilege_id(name), {"name": name}) for name in privileges]
    return fixed
