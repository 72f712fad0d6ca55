"""The worker's one `Http`, with both systems named from the settings."""

from __future__ import annotations

import httpx

from sync.http import Http, Site
from sync.model import Clock
from sync.settings import Settings
from sync.tokens import CachedTokens, azure_tokens


def open_http(settings: Settings, clock: Clock, transport: httpx.AsyncBaseTransport) -> Http:
    """Sites `dynamics` and `campaign`; nothing is sent yet."""
    http = Http(transport, clock, timeout_s=settings.call_timeout_s)
    http.connect("dynamics", settings.dynamics_url, _dynamics_tokens(http, settings))
    campaign = http.client_credentials(
        "campaign",
        settings.campaign_token_url,
        client_id=settings.campaign_client_id,
        client_secret=settings.campaign_client_secret.get_secret_value(),
        scope=settings.campaign_scopes,
    )
    http.connect("campaign", settings.campaign_url, campaign)
    return http


def _dynamics_tokens(http: Http, settings: Settings) -> CachedTokens:
    if settings.uses_dynamics_identity:
        return _identity_tokens(http, settings)
    return http.client_credentials(
        "dynamics",
        settings.dynamics_token_address,
        client_id=settings.dynamics_client_id,
        client_secret=settings.dynamics_client_secret.get_secret_value(),
        scope=settings.dynamics_scope,
    )


def event_sites(http: Http, settings: Settings) -> list[Site]:
    """Dynamics as each application user that writes events: the app's own first, then those of EVENTS_USER_IDS."""
    sites = [http.site("dynamics")]
    ids = [one.strip() for one in settings.events_user_ids.split(",") if one.strip()]
    secrets = [
        one.strip() for one in settings.events_users_secret.get_secret_value().split(",") if one.strip()
    ]
    for place, client_id in enumerate(ids):
        if secrets:
            tokens = http.client_credentials(
                "dynamics",
                settings.dynamics_token_address,
                client_id=client_id,
                client_secret=secrets[place],
                scope=settings.dynamics_scope,
            )
        else:
            tokens = _identity_tokens(http, settings, client_id)
        sites.append(Site(http, "dynamics", settings.dynamics_url, tokens))
    return sites


def _identity_tokens(http: Http, settings: Settings, client_id: str = "") -> CachedTokens:
    # imported here: it costs 0.3 s of every cold start and most runs by secret never need it (azure.md 3.5)
    from azure.identity.aio import DefaultAzureCredential

    credential = DefaultAzureCredential(
        managed_identity_client_id=client_id or settings.dynamics_client_id or None
    )
    http.close_with(credential.close)
    return azure_tokens(credential, settings.dynamics_scope, http.clock)
