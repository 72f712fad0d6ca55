"""Settings of the Campaign side: where it is, how it is spoken to, and how much of it may be used."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]
NO_SECRET = SecretStr("")


def _campaign(alias: str, default: Any, meaning: str) -> Any:
    return Field(default, alias=alias, description=meaning, json_schema_extra={"group": "Campaign"})


class CampaignSettings(BaseModel):
    """Part of `Settings`."""

    campaign_url: str = _campaign(
        "CAMPAIGN_URL", "", "The API: `https://mc.adobe.io/<organization>/campaign`."
    )
    campaign_token_url: str = _campaign(
        "CAMPAIGN_TOKEN_URL", "https://ims-na1.adobelogin.com/ims/token/v3", "Adobe's token endpoint."
    )
    campaign_client_id: str = _campaign(
        "CAMPAIGN_CLIENT_ID", "", "Client id (API key) of the Developer Console project."
    )
    campaign_client_secret: SecretStr = _campaign(
        "CAMPAIGN_CLIENT_SECRET", NO_SECRET, "Its secret, by Key Vault reference."
    )
    campaign_scopes: str = _campaign(
        "CAMPAIGN_SCOPES",
        "openid,AdobeID,read_organizations,additional_info.projectedProductContext,additional_info.roles,"
        "adobeio_api,campaign_sdk,campaign_config_server_general",
        "Scopes, with commas, as the Developer Console lists them for the credential.",
    )
    campaign_dialect: Literal["auto", "standard", "v8"] = _campaign(
        "CAMPAIGN_DIALECT",
        "auto",
        "Campaign `standard`, its successor `v8`, or `auto` to find out at start.",
    )
    campaign_addressing: Literal["auto", "key", "filter"] = _campaign(
        "CAMPAIGN_ADDRESSING",
        "auto",
        "How a profile is found: `key`, `filter`, or `auto` to find out at start.",
    )
    campaign_delete_by_key: bool = _campaign(
        "CAMPAIGN_DELETE_BY_KEY", False, "DELETE by key works on this instance (undocumented): one call less."
    )
    campaign_limit: Count = _campaign(
        "CAMPAIGN_LIMIT", 4000, "Calls allowed in any window: your licensed rate."
    )
    campaign_window_s: Seconds = _campaign("CAMPAIGN_WINDOW_S", 300.0, "Length of that window.")
    campaign_calls_per_day: Annotated[int, Field(ge=0)] = _campaign(
        "CAMPAIGN_CALLS_PER_DAY",
        0,
        "Calls allowed in any 24 hours, beside CAMPAIGN_LIMIT: engine calls that your contract names. 0: no such limit.",
    )
    campaign_burst: Count = _campaign(
        "CAMPAIGN_BURST", 100, "Calls that may come at once after a quiet time."
    )
    campaign_concurrency: Count = _campaign(
        "CAMPAIGN_CONCURRENCY", 16, "Calls in flight per instance of the app."
    )
