"""How one Dataverse look-alike is set up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Application:
    """One more application user, with service protection limits of its own and the same privileges."""

    client_id: str
    client_secret: str
    user_id: str


@dataclass(frozen=True, slots=True)
class RowCosts:
    """Execution time of one row, in seconds, by how it is written; also how long the answer takes (anchors.md 7a).

    UpdateMultiple has no published figure: an assumption.
    """

    single: float = 0.05
    """A write of its own, alone or in a $batch."""
    create_multiple: float = 0.0065
    update_multiple: float = 0.025
    upsert_multiple: float = 0.025


@dataclass(frozen=True, slots=True)
class DynamicsOptions:
    """Everything that distinguishes one organization from another."""

    origin: str = ""
    """Organization URL without a trailing slash, e.g. `https://org.crm4.dynamics.com`; links and the token's scope are
    built from it. Empty: taken from each request's Host header, plain http."""
    tenant: str = "local"
    client_id: str = "local-dynamics"
    client_secret: str = "local-dynamics-secret"
    token_ttl_s: int = 3599
    organization_id: str = "0d1f2f6c-4a7c-4d0e-9a63-3f1f5f0c0a01"
    user_id: str = "5b7c1a52-93d1-4b1b-8f64-5e8c3c1d0b02"
    """The application user behind `client_id`."""
    business_unit_id: str = "7a0f7f0e-1c54-4f5c-8d59-6a2b1e4f0c03"
    owner_id: str = "c4a6b7d8-2e3f-4a5b-9c6d-7e8f90a1b204"
    """The sales user who owns records that do not say otherwise."""
    currency_id: str = "e1d2c3b4-5a69-4788-97a6-b5c4d3e2f105"
    expire_change_tracking_in_days: int = 7
    """Life of a delta token (dataverse.md 1.4)."""
    change_tracking: tuple[str, ...] = ("contact", "account", "cr_order", "cr_orderline")
    """Tables with change tracking on."""
    max_page: int = 5000
    anchor: str = "first"
    """Where the delta token of a *full* read is anchored: at its `first` or its `last` page (not documented)."""
    recreated: str = "both"
    """A row deleted and created again under the same id between two polls: the delta shows `both` entries or the `row`
    alone (not documented)."""
    contact_keys: tuple[tuple[str, ...], ...] = (("externaluseridentifier",),)
    """Alternate keys of contact; all Active."""
    request_limit: int = 6000
    time_limit_s: float = 1200.0
    concurrency_limit: int = 52
    window_s: float = 300.0
    execution_s: float = 0.0
    """Execution time charged for each request, besides a scripted delay (dataverse.md 3)."""
    row_costs: RowCosts | None = None
    """Charges execution time per written row, and lets the answer take as long."""
    longest_s: float = 120.0
    """With `row_costs`: a bulk message that would take longer ends in the database's timeout, nothing applied."""
    applications: tuple[Application, ...] = ()
    """Application users besides `client_id`."""
    bulk_messages: bool = True
    """Custom activity tables take CreateMultiple and UpdateMultiple (not verified: set-up probes)."""
    customization_s: float = 0.0
    """How long a metadata write keeps others out with 0x80090412."""
    key_pending_s: float = 0.0
    key_building_s: float = 0.0
    """How long a new alternate key is Pending, then InProgress."""
    limits: bool = True
    """Service protection on."""
    dop_hint: int = 4
