"""What one Campaign instance is like: credentials, published keys and filters, limits, data policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sandbox.campaign.orders import REQUIRED

Addressing = Literal["key", "filter", "none"]
"""How a profile is found by externalId (adobe.md B.4).

`key`: it is an identification key, usable in the URI and unique. `filter`: the custom filter byExternalId is
published, and externalId is not unique. `none`: not at all.
"""

Dialect = Literal["standard", "v8"]
"""Campaign Standard, or the same API on Campaign v8 (adobe.md D)."""

REWRITING: Mapping[str, str] = {
    "email": "email",
    "firstName": "smartCase",
    "lastName": "smartCase",
    "middleName": "smartCase",
    "phone": "phone",
    "mobilePhone": "phone",
    "fax": "phone",
}
"""Field → dataPolicy, as a new instance has them: `email` checks, the others rewrite (adobe.md B.3)."""

VALIDATING: Mapping[str, str] = {"email": "email"}
"""The policies that check a value but never change it."""

SCOPES = (
    "AdobeID",
    "openid",
    "read_organizations",
    "additional_info.projectedProductContext",
    "additional_info.roles",
    "adobeio_api",
    "read_client_secret",
    "manage_client_secrets",
    "campaign_sdk",
    "campaign_config_server_general",
    "deliverability_service_general",
    "event_receiver_api",
)
"""Scopes seen on the credential of Adobe's own integration (adobe.md A.3)."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `calls` in any `window_s` seconds, then 429; none is published (adobe.md B.8 has hints)."""

    calls: int = 4000
    window_s: float = 300.0
    retry_after: bool = True
    """Whether the 429 says when to come back."""


@dataclass(frozen=True, slots=True)
class CampaignOptions:
    """Everything about the instance that a caller may choose; commands change it while it runs."""

    org: str = "local"
    client_id: str = "local-campaign"
    client_secret: str = "local-campaign-secret"
    scopes: tuple[str, ...] = SCOPES
    token_ttl_s: int = 86399
    origin: str = ""
    """Scheme and host of every `href`; empty: those of the request."""
    dialect: Dialect = "standard"
    addressing: Addressing = "key"
    custom_addressing: Addressing = "filter"
    """The same for custom resources by their identification key. `key` is documented for profiles alone."""
    delete_by_key: bool = False
    """DELETE by the key in the URI in `key` mode; not documented, so off."""
    required_links: tuple[str, ...] = REQUIRED
    """"1 cardinality simple links", as `resource.link`: a record whose link leads nowhere is hidden (adobe.md A.2)."""
    cascading_links: tuple[str, ...] = ()
    """Links with "Deleting the target record implies deleting records referenced by the link" (adobe.md A.7)."""
    time_filter: bool = False
    """Whether the custom filter byLastModified is published for Ext profiles: lastModified at or after its parameter."""
    order: Literal["kept", "ignored", "refused"] = "kept"
    """What becomes of `_order`; an instance that ignores or refuses it is not documented."""
    dates_creates: bool = False
    """Whether a POST dates the opt-outs that it sets to false too; the documents do not say."""
    unique_fields: tuple[str, ...] = ()
    """Further profile fields with a unique index, e.g. `cusCrmNumber` or `email`."""
    policies: Mapping[str, str] = field(default_factory=lambda: dict(REWRITING))
    rate_limit: RateLimit | None = None
    big_table: int = 100_000
    """Rows above which a list has no `next` without `_forcePagination=true` (XtkBigTableThreshold)."""
