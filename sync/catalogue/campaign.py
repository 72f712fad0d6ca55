"""Codes of the Campaign REST API (adobe.md B.8)."""

from __future__ import annotations

from sync.catalogue.entry import SETS_ASIDE, SIX_TIMES, STOPS, Entry, Reaction

_THEN = " Then `python -m sync retry`."

CAMPAIGN: dict[str, Entry] = {
    "campaign_unreachable": Entry(
        Reaction.RETRY,
        "Campaign could not be reached, or did not answer a read.",
        "The network, DNS, a firewall, or an outage of the instance.",
        "Check CAMPAIGN_URL and the outbound rules if it lasts; otherwise nothing.",
        "Tries again every quarter of a minute for as long as it takes; nothing is lost.",
    ),
    "campaign_outcome_unknown": Entry(
        Reaction.RETRY,
        "A write to Campaign was sent and no trustworthy answer came.",
        "The connection dropped, the gateway timed out, or the answer was not JSON.",
        "Nothing. If it hits every record, check CAMPAIGN_URL and run `python -m sync doctor`.",
        "Keeps the claim until the call cannot land any more, then reads both sides and decides again.",
    ),
    "campaign_throttled": Entry(
        Reaction.WAIT,
        "Campaign asked to come back later.",
        "More calls than the licence allows, from this app or from others.",
        "Lower CAMPAIGN_LIMIT to your licensed rate if it is frequent.",
        "Comes back at the time Campaign named, or after 30 seconds. No attempt is used.",
    ),
    "campaign_unauthorized": Entry(
        Reaction.STOP,
        "Campaign or Adobe's token endpoint refused the credentials.",
        "Wrong or removed client secret, or scopes that the project does not have.",
        "Check CAMPAIGN_CLIENT_ID, CAMPAIGN_CLIENT_SECRET and CAMPAIGN_SCOPES in Adobe's Developer Console.",
        STOPS,
    ),
    "campaign_forbidden": Entry(
        Reaction.STOP,
        "Adobe does not let this technical account use the Campaign API.",
        "The API key is wrong, or its product profile gives no right to the instance.",
        "Check the API's product profile in the Developer Console and the account's role in Campaign.",
        STOPS,
    ),
    "campaign_wrong_address": Entry(
        Reaction.STOP,
        "There is no Campaign API at the configured address.",
        "CAMPAIGN_URL names a wrong organization or path, or the API of the resource is not published.",
        "Check CAMPAIGN_URL (https://mc.adobe.io/<organization>/campaign) and that the API is published.",
        STOPS,
    ),
    "no_addressing": Entry(
        Reaction.STOP,
        "Campaign offers no way to find a record by its Dynamics id.",
        "The external id is no identification key, and no published filter on it works.",
        "In Campaign, make the field an identification key or publish a filter with the id ExternalId on it.",
        STOPS,
    ),
    "resource_missing": Entry(
        Reaction.STOP,
        "Campaign publishes no resource of the mapping's name.",
        "A typing error, the resource is not published, or it is hidden from the APIs.",
        "Correct `target.resource` (cus and the resource's id), or publish the resource in Campaign; "
        "docs/campaign-setup.md says how.",
        STOPS,
    ),
    "campaign_garbled": Entry(
        Reaction.RETRY,
        "Campaign answered something that is not what was asked for.",
        "A proxy or maintenance page in between, or an answer cut short.",
        "Check CAMPAIGN_URL if it lasts, then `python -m sync retry --code campaign_garbled`.",
        "Uses nothing of that answer. " + SIX_TIMES,
    ),
    "campaign_error": Entry(
        Reaction.RETRY,
        "Campaign reported an error that the sync does not know.",
        "The codes named with it, if any.",
        "Search Campaign's log for them if it lasts, then `python -m sync retry --code campaign_error`.",
        SIX_TIMES,
    ),
    "campaign_unexplained": Entry(
        Reaction.RETRY,
        "Campaign v8 refused the request and does not say why.",
        "A key that another record has, a value outside an enumeration, or an error that passes: v8 answers all alike.",
        "If it lasts, compare the record with the resource in Campaign: lengths, enumerations, unique fields."
        + _THEN,
        "A create looks for a record with the key first and updates it. " + SIX_TIMES,
    ),
    "campaign_refused": Entry(
        Reaction.QUARANTINE,
        "Campaign refused the request as wrong.",
        "The record or the mapping contains something this instance does not accept.",
        "Compare the mapping with the resource in Campaign." + _THEN,
        SETS_ASIDE,
    ),
    "not_found": Entry(
        Reaction.QUARANTINE,
        "Campaign has no such record.",
        "It was deleted in Campaign, perhaps by a privacy request.",
        "Decide whether it may be created again.",
        "Looks once by external id; a delete counts as done, an update follows the mapping's `on_missing`.",
    ),
    "duplicate_key": Entry(
        Reaction.QUARANTINE,
        "Campaign has a record with the same key already.",
        "The record was created before, or another identification key collides.",
        "Find the other record in Campaign and correct one of them." + _THEN,
        "Looks by external id; if that finds the record it is updated, otherwise it is set aside.",
    ),
    "enumeration_value": Entry(
        Reaction.QUARANTINE,
        "Campaign does not know a value of an enumeration.",
        "The mapping sends a name that is not among the field's values.",
        "Correct the mapping's value table, or add the value in Campaign." + _THEN,
        SETS_ASIDE,
    ),
    "value_refused": Entry(
        Reaction.QUARANTINE,
        "Campaign refused a value.",
        "It breaks the field's data policy (an invalid e-mail address, for example) or is of the wrong kind.",
        "Correct the value in Dynamics, or the field's policy in the mapping." + _THEN,
        SETS_ASIDE,
    ),
    "value_too_long": Entry(
        Reaction.QUARANTINE,
        "A value is longer than the Campaign field.",
        "The field is shorter than its Dynamics column, and the mapping does not say to truncate.",
        "Shorten the value in Dynamics, or set the field's length policy in the mapping." + _THEN,
        SETS_ASIDE,
    ),
    "read_only_field": Entry(
        Reaction.QUARANTINE,
        "The mapping writes a field that Campaign computes itself.",
        "The target is read-only (age, domain, title and others).",
        "Remove the field from the mapping." + _THEN,
        SETS_ASIDE,
    ),
    "unknown_field": Entry(
        Reaction.QUARANTINE,
        "The mapping writes a field that the Campaign resource does not have.",
        "A typing error, or the field was removed or not published.",
        "Correct the mapping or publish the field." + _THEN,
        SETS_ASIDE,
    ),
    "key_change": Entry(
        Reaction.QUARANTINE,
        "Campaign does not let the key of a record change.",
        "An update carries an identification key with another value.",
        "Set `apply_updates: false` for that field in the mapping." + _THEN,
        SETS_ASIDE,
    ),
}
