"""All settings of the app, typed, and checked once with everything that is wrong told in one error.

`Settings.load(os.environ)` is the only way in; docs/settings.md is generated from the fields here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from sync.settings_campaign import CampaignSettings
from sync.settings_events import EventSettings
from sync.settings_problems import Problem, SettingsInvalid, unresolved, wrong

KEY_VAULT = "@Microsoft.KeyVault("
NO_SECRET = SecretStr("")
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]
Schedule = Annotated[str, Field(pattern=r"^\S+( \S+){5}$")]


def _setting(alias: str, default: Any, meaning: str, *, group: str) -> Any:
    return Field(default, alias=alias, description=meaning, json_schema_extra={"group": group})


def _storage(alias: str, default: Any, meaning: str) -> Any:
    return _setting(alias, default, meaning, group="Storage")


def _dynamics(alias: str, default: Any, meaning: str) -> Any:
    return _setting(alias, default, meaning, group="Dynamics")


def _times(alias: str, default: Any, meaning: str) -> Any:
    return _setting(alias, default, meaning, group="Times of a claim")


def _schedule(alias: str, default: str, meaning: str) -> Any:
    return _setting(alias, default, meaning + " Six fields, seconds first (NCRONTAB).", group="Schedules")


def _work(alias: str, default: Any, meaning: str) -> Any:
    return _setting(alias, default, meaning, group="Amounts of work")


def _keeping(alias: str, default: Any, meaning: str) -> Any:
    return _setting(alias, default, meaning, group="Keeping and watching")


class Settings(CampaignSettings, EventSettings):
    """Field names are the settings' names in lower case; times are seconds."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    storage_connection: SecretStr = _storage(
        "AzureWebJobsStorage", NO_SECRET, "Connection string of the app's storage account. Local runs only."
    )
    storage_account: str = _storage(
        "AzureWebJobsStorage__accountName", "", "Name of the storage account, used with the managed identity."
    )
    storage_queue_uri: str = _storage(
        "AzureWebJobsStorage__queueServiceUri",
        "",
        "Queue address, instead of the name (private DNS, sovereign clouds).",
    )
    storage_table_uri: str = _storage(
        "AzureWebJobsStorage__tableServiceUri", "", "Table address, together with the queue address."
    )
    storage_client_id: str = _storage(
        "AzureWebJobsStorage__clientId",
        "",
        "Client id of a user-assigned identity; empty means the system's.",
    )

    dynamics_url: str = _dynamics(
        "DYNAMICS_URL", "", "The environment: `https://<org>.crm<n>.dynamics.com`, no path."
    )
    dynamics_tenant_id: str = _dynamics("DYNAMICS_TENANT_ID", "", "Entra tenant of the app registration.")
    dynamics_client_id: str = _dynamics(
        "DYNAMICS_CLIENT_ID",
        "",
        "App registration; without a secret the user-assigned identity to use, if any.",
    )
    dynamics_client_secret: SecretStr = _dynamics(
        "DYNAMICS_CLIENT_SECRET",
        NO_SECRET,
        "Secret of the app registration, by Key Vault reference. Absent: managed identity.",
    )
    dynamics_token_url: str = _dynamics(
        "DYNAMICS_TOKEN_URL",
        "",
        "Token endpoint, for sovereign clouds and local runs; absent: Entra's of the tenant.",
    )
    dynamics_page_size: Annotated[int, Field(ge=1, le=5000)] = _dynamics(
        "DYNAMICS_PAGE_SIZE", 1000, "Rows per page that Dynamics is asked for."
    )

    message_lease_s: Seconds = _times(
        "MESSAGE_LEASE_S", 600.0, "How long the host hides a message it works on; fixed in Azure."
    )
    call_timeout_s: Seconds = _times("CALL_TIMEOUT_S", 30.0, "A call that takes longer counts as unknown.")
    gateway_s: Seconds = _times(
        "GATEWAY_S", 60.0, "How long Adobe's gateway may still carry out a call we gave up."
    )
    skew_s: Seconds = _times("SKEW_S", 30.0, "How far the clocks of two instances may differ.")

    pull_schedule: Schedule = _schedule("PULL_SCHEDULE", "*/15 * * * * *", "When the deltas are read.")
    feed_schedule: Schedule = _schedule(
        "FEED_SCHEDULE", "*/15 * * * * *", "When the backfill lane is filled up."
    )
    consent_schedule: Schedule = _schedule(
        "CONSENT_SCHEDULE", "0 * * * * *", "When Campaign is asked whose opt-outs changed."
    )
    wake_schedule: Schedule = _schedule("WAKE_SCHEDULE", "0 * * * * *", "When lost wake-ups are looked for.")
    expire_schedule: Schedule = _schedule("EXPIRE_SCHEDULE", "0 30 2 * * *", "When old rows are removed.")

    reconcile_schedule: Schedule = _schedule(
        "RECONCILE_SCHEDULE", "0 15 3 * * *", "When a part of the records is compared with Campaign."
    )

    reconcile_percent: Annotated[float, Field(ge=0, le=100)] = _work(
        "RECONCILE_PERCENT", 1.0, "Share of each mapping's records that is compared a day, in turn; 0: none."
    )
    reconcile_heal: bool = _work(
        "RECONCILE_HEAL", False, "Whether that look sends again what differs; else it only reports."
    )
    consent_exports: Annotated[str, Field(min_length=1)] = _work(
        "CONSENT_EXPORTS",
        "profiles",
        "Files in EVENTS_CONTAINER whose names begin so tell which profiles changed, where Campaign cannot.",
    )
    consent_overlap_s: Seconds = _work(
        "CONSENT_OVERLAP_S", 300.0, "How far each look for changed opt-outs in Campaign reaches back."
    )
    pages_per_group: Count = _work("PAGES_PER_GROUP", 10, "Pages of a full read per control message.")
    chunk_records: Annotated[int, Field(ge=1, le=50)] = _work(
        "CHUNK_RECORDS", 20, "Records per queue message, at most."
    )
    buckets: Annotated[int, Field(ge=1, le=1024)] = _work(
        "BUCKETS", 64, "Ledger partitions of a new mapping; fixed when a mapping is made."
    )
    pull_seconds: Seconds = _work("PULL_SECONDS", 10.0, "How long one tick reads one delta.")
    overlap_s: Seconds = _work("OVERLAP_S", 600.0, "How far live reads beside a full read reach back.")
    mappings_dir: str = _work("MAPPINGS_DIR", "mappings", "Folder of the mappings that ship with the app.")

    history_days: Count = _keeping("HISTORY_DAYS", 90, "Days that history and counters are kept.")
    tombstone_days: Count = _keeping(
        "TOMBSTONE_DAYS", 400, "Days that tombstones of deleted records are kept."
    )
    freshness_s: Seconds = _keeping("FRESHNESS_S", 300.0, "`health` fails when the last good pull is older.")
    delete_brake_percent: Annotated[float, Field(ge=0, le=100)] = _keeping(
        "DELETE_BRAKE_PERCENT",
        5.0,
        "Deletes in 24 h above this share of a mapping's records wait for approval.",
    )
    delete_brake_min: Annotated[int, Field(ge=0)] = _keeping(
        "DELETE_BRAKE_MIN", 50, "So many deletes in 24 h are always let through."
    )

    consent_journal_days: Count = _keeping(
        "CONSENT_JOURNAL_DAYS", 730, "Days that the consent journal is kept."
    )
    opt_in_brake: Annotated[int, Field(ge=0)] = _keeping(
        "OPT_IN_BRAKE", 100, "Removals of opt-outs in an hour towards one system; more wait for approval."
    )

    @classmethod
    def load(cls, env: Mapping[str, str]) -> Settings:
        """The settings in `env`; raises SettingsInvalid naming all that is missing or wrong."""
        from sync.settings_rules import broken_rules

        told = {name: env[name].strip() for name in cls.names() if env.get(name, "").strip()}
        problems = [unresolved(name) for name, value in told.items() if KEY_VAULT in value]
        told = {name: value for name, value in told.items() if KEY_VAULT not in value}
        try:
            settings = cls.model_validate(told)
        except ValidationError as error:
            refused = [cls._wrong(one) for one in error.errors(include_input=False)]
            problems += refused
            bad = {problem.name for problem in refused}
            settings = cls.model_validate({name: value for name, value in told.items() if name not in bad})
        named = {problem.name for problem in problems}
        problems += [problem for problem in broken_rules(settings) if problem.name not in named]
        if problems:
            raise SettingsInvalid(tuple(problems))
        return settings

    @classmethod
    def _wrong(cls, told: ErrorDetails) -> Problem:
        name = str(told["loc"][0])
        return wrong(name, told["type"], told.get("ctx", {}), told["msg"], cls.names()[name].default)

    @classmethod
    def names(cls) -> dict[str, FieldInfo]:
        """Every setting by its name in the environment."""
        return {str(field.alias): field for field in cls.model_fields.values()}

    @property
    def claim_s(self) -> float:
        """How long a claim holds: half the message lease, so that the lease never ends first (design 4.3)."""
        return self.message_lease_s / 2

    def claim_deadline(self, claimed_at: float) -> float:
        """No call may end after it."""
        return claimed_at + self.claim_s

    def takeover_at(self, deadline: float) -> float:
        """When another invocation may take the claim over: no call of it can land any more."""
        return deadline + self.gateway_s + self.skew_s

    @property
    def uses_identity_storage(self) -> bool:
        return not self.storage_connection.get_secret_value()

    @property
    def queue_uri(self) -> str:
        """Queue service address of the identity-based form."""
        return self.storage_queue_uri or f"https://{self.storage_account}.queue.core.windows.net"

    @property
    def table_uri(self) -> str:
        """Table service address of the identity-based form."""
        return self.storage_table_uri or f"https://{self.storage_account}.table.core.windows.net"

    @property
    def uses_dynamics_identity(self) -> bool:
        """Whether Dynamics is reached with a managed identity or another default Azure credential."""
        return not self.dynamics_client_secret.get_secret_value()

    @property
    def dynamics_scope(self) -> str:
        """Scope of Dataverse tokens (dataverse.md 4.6)."""
        return self.dynamics_url.rstrip("/") + "/.default"

    @property
    def dynamics_token_address(self) -> str:
        """Token endpoint of the client-credentials flow."""
        entra = f"https://login.microsoftonline.com/{self.dynamics_tenant_id}/oauth2/v2.0/token"
        return self.dynamics_token_url or entra

    @property
    def campaign_tenant(self) -> str:
        """The organization in CAMPAIGN_URL: what the environment guard compares, whatever the host."""
        parts = urlsplit(self.campaign_url)
        return parts.path.strip("/").removesuffix("campaign").strip("/").lower() or (parts.hostname or "")
