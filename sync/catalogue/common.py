"""Codes that belong to no single system: settings and addresses."""

from __future__ import annotations

from sync.catalogue.entry import STOPS, Entry, Reaction

COMMON: dict[str, Entry] = {
    "settings_invalid": Entry(
        Reaction.STOP,
        "Settings are missing or wrong.",
        "An app setting was not set, has a value of the wrong kind, or still reads as a Key Vault reference.",
        "Correct every setting the message names; docs/settings.md explains each.",
        "Refuses to start.",
    ),
    "insecure_url": Entry(
        Reaction.STOP,
        "An address is not one that credentials may be sent to.",
        "The URL is malformed, carries a user name, or uses plain http to another machine.",
        "Use an https address; plain http is for loopback addresses only.",
        "Sends nothing to that address.",
    ),
    "foreign_link": Entry(
        Reaction.STOP,
        "A service named a link of another origin than the configured one.",
        "DYNAMICS_URL or CAMPAIGN_URL names an alias of the host that the service calls itself by, "
        "or a proxy rewrites its links.",
        "Set the URL to the host that the service uses in its own links.",
        "Does not follow the link: the bearer token goes to the configured origin only. " + STOPS,
    ),
}
