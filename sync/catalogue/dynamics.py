"""Codes of the Dataverse Web API (dataverse.md 1.4, 3, 6)."""

from __future__ import annotations

from sync.catalogue.entry import AGAIN, SETS_ASIDE, STOPS, Entry, Reaction

DYNAMICS: dict[str, Entry] = {
    "dynamics_unreachable": Entry(
        Reaction.RETRY,
        "Dynamics could not be reached, or did not answer a read.",
        "The network, DNS, a firewall, or an outage of the environment.",
        "Check DYNAMICS_URL and the outbound rules if it lasts; otherwise nothing.",
        AGAIN,
    ),
    "dynamics_outcome_unknown": Entry(
        Reaction.RETRY,
        "A write to Dynamics was sent and no trustworthy answer came.",
        "The connection dropped, a gateway timed out, or the answer was not JSON.",
        "Nothing.",
        "Keeps the claim until the call cannot land any more, then reads the record and decides again.",
    ),
    "dynamics_throttled": Entry(
        Reaction.WAIT,
        "Dynamics asked to come back later.",
        "A service protection limit of the application user is used up.",
        "Nothing; if it is frequent, look for other work under the same application user.",
        "Comes back at the time Dynamics named. No attempt is used.",
    ),
    "dynamics_unauthorized": Entry(
        Reaction.STOP,
        "Dynamics or its token endpoint refused the credentials.",
        "Wrong or expired client secret, wrong tenant, an environment that the tenant does not have, or no application "
        "user in it.",
        "Check DYNAMICS_URL, DYNAMICS_TENANT_ID, DYNAMICS_CLIENT_ID and DYNAMICS_CLIENT_SECRET, and the application "
        "user.",
        STOPS,
    ),
    "dynamics_forbidden": Entry(
        Reaction.STOP,
        "The application user may not do this.",
        "Its security role lacks a privilege; change tracking needs read at organization level.",
        "Give the application user the role shipped with the product, then run `python -m sync doctor`.",
        STOPS,
    ),
    "dynamics_garbled": Entry(
        Reaction.RETRY,
        "Dynamics answered something that is not what was asked for.",
        "A proxy or maintenance page in between, or an answer cut short.",
        "Check DYNAMICS_URL if it lasts.",
        "Uses nothing of that answer. " + AGAIN,
    ),
    "dynamics_error": Entry(
        Reaction.RETRY,
        "Dynamics reported an error that the sync does not know.",
        "The error code named with it.",
        "Look the code up in Microsoft's list of Web service error codes if it lasts.",
        AGAIN,
    ),
    "dynamics_busy": Entry(
        Reaction.RETRY,
        "Dynamics cannot do this right now.",
        "A timeout or deadlock in its database, or customizations being published.",
        "Nothing.",
        AGAIN,
    ),
    "dynamics_refused": Entry(
        Reaction.STOP,
        "Dynamics refused the request as wrong.",
        "A setting or mapping asks for something that this environment does not have.",
        "Run `python -m sync doctor`; it checks each mapped column.",
        STOPS,
    ),
    "dynamics_full": Entry(
        Reaction.STOP,
        "The storage capacity of the Dynamics environment is used up.",
        "The tenant has exceeded its Dataverse capacity.",
        "Free or buy capacity in the Power Platform admin center.",
        STOPS,
    ),
    "delta_expired": Entry(
        Reaction.RESYNC,
        "Dynamics no longer accepts the stored delta link.",
        "Nothing was read for longer than the token lives (7 days by default), or columns changed.",
        "Nothing; if it was age, find out why the pull stood still.",
        "Reads the whole table again and then looks for records that were deleted meanwhile.",
    ),
    "change_tracking_off": Entry(
        Reaction.STOP,
        "Change tracking is not enabled for the table.",
        "The table was never prepared for synchronization.",
        "Enable 'Track changes' in the table's advanced options and publish.",
        STOPS,
    ),
    "unknown_column": Entry(
        Reaction.STOP,
        "A mapped column does not exist in Dynamics.",
        "A typing error in the mapping (names are case-sensitive logical names), or the column was removed.",
        "Correct the mapping; `python -m sync doctor` lists the unknown ones.",
        STOPS,
    ),
    "unknown_table": Entry(
        Reaction.STOP,
        "A mapped table does not exist in Dynamics.",
        "A typing error in the mapping's entity set name, or DYNAMICS_URL names another environment.",
        "Correct the mapping or DYNAMICS_URL.",
        STOPS,
    ),
    "dynamics_unreadable": Entry(
        Reaction.RETRY,
        "Dynamics ended a full read without a link to go on from.",
        "Change tracking was switched off meanwhile, or something in between drops the Prefer header.",
        "Check that 'Track changes' is on for the table, and what sits between the app and Dynamics.",
        "Queues nothing of that read. " + AGAIN,
    ),
    "paging_loop": Entry(
        Reaction.RETRY,
        "Dynamics, or Campaign in the list of its records, answered a next link to a page that was read before.",
        "A known fault of the service's paging.",
        "Nothing; if it lasts, `python -m sync replay` starts the read anew.",
        "Keeps what was read before, except that a full read, a replay or the list of a comparison starts over. "
        + AGAIN,
    ),
    "dynamics_not_found": Entry(
        Reaction.QUARANTINE,
        "The Dynamics record does not exist.",
        "It was deleted or merged.",
        "Nothing, unless it should exist.",
        SETS_ASIDE,
    ),
    "dynamics_conflict": Entry(
        Reaction.RETRY,
        "The Dynamics record was changed by someone else meanwhile.",
        "Its row version is not the one that was read.",
        "Nothing.",
        "Reads the record again and decides anew.",
    ),
    "dynamics_duplicate": Entry(
        Reaction.QUARANTINE,
        "Dynamics refused the record as a duplicate.",
        "An alternate key or a duplicate detection rule.",
        "Find the other record in Dynamics and merge or correct one of them, then `python -m sync retry`.",
        SETS_ASIDE,
    ),
    "dynamics_value_refused": Entry(
        Reaction.QUARANTINE,
        "Dynamics refused a value.",
        "It is too long, of the wrong kind, or a plug-in of the environment rejected it.",
        "Correct the value or the mapping, then `python -m sync retry` (email events: `python -m sync events retry`).",
        SETS_ASIDE,
    ),
}
