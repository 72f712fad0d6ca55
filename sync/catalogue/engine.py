"""Codes of the engine itself; whoever adds a reason code to the flows adds its entry here."""

from __future__ import annotations

from sync.catalogue.entry import AGAIN, SETS_ASIDE, STOPS, Entry, Reaction

_RETRY = "Then `python -m sync retry`."

ENGINE: dict[str, Entry] = {
    "mapping_missing": Entry(
        Reaction.STOP,
        "No version of the mapping is active.",
        "The mapping was removed, or the first start has not finished.",
        "Activate one with `python -m sync mappings apply FILE`.",
        STOPS,
    ),
    "mapping_disabled": Entry(
        Reaction.STOP,
        "The mapping is switched off.",
        "`python -m sync mappings disable`.",
        "`python -m sync mappings enable NAME` if it shall run again; it begins with a full read.",
        "Reads and sends nothing for this mapping; what is in Campaign stays there.",
    ),
    "mapping_invalid": Entry(
        Reaction.STOP,
        "The active mapping text cannot be used.",
        "The text was written past `mappings apply`, which refuses an invalid one.",
        "Correct the file at the lines named and activate it with `python -m sync mappings apply FILE`.",
        STOPS,
    ),
    "setup_blocked": Entry(
        Reaction.STOP,
        "Set-up of the Dynamics environment cannot go on.",
        "Something of the same name is there and is another thing than `mappings/events.yaml` asks for.",
        "Do what is named with it, then run `python -m sync setup dynamics` again; what is done stays done.",
        "Does nothing before it is settled.",
    ),
    "setup_incomplete": Entry(
        Reaction.STOP,
        "Tables or columns that `mappings/events.yaml` names are not in Dynamics, or not as it says.",
        "Set-up has not been run, broke off, or the file was changed since.",
        "Run `python -m sync setup dynamics --plan`, then without `--plan`.",
        STOPS,
    ),
    "environment_changed": Entry(
        Reaction.STOP,
        "The settings point at another Dynamics organization or Campaign tenant than this sync was set up for.",
        "A copied or restored environment, or settings of another stage.",
        "Correct the settings; if the new environment is meant, run `python -m sync rebaseline`.",
        "Reads and writes nothing in the other environment, and goes on once the settings are the old ones again.",
    ),
    "consent_unusable": Entry(
        Reaction.STOP,
        "The consent map does not fit the columns of Dynamics or the fields of Campaign.",
        "A column or field is missing, is no boolean, or its labels say the opposite of what the map says.",
        "Correct mappings/consent.yaml as `python -m sync doctor` says, and deploy it.",
        "Stops the consent flow; new profiles wait, since they would be created without their opt-outs.",
    ),
    "consent_undecided": Entry(
        Reaction.QUARANTINE,
        "The profile was not created: its consent cannot be decided, and the consent map says `undecided: hold`.",
        "A consent column holds a value that means neither, or may not be read.",
        "Correct the value in Dynamics (the record goes by itself), or the role's access to the column.",
        "Puts the record on hold until it changes in Dynamics.",
    ),
    "opt_in_brake": Entry(
        Reaction.PARK,
        "More opt-outs would be removed within an hour than the brake allows.",
        "An import that resets consent, or a mass edit.",
        "Look at `python -m sync consent report`; if it is meant, `python -m sync consent approve --to campaign`.",
        "Keeps the contacts opted out and waits for approval; opt-outs go on in both directions.",
    ),
    "email_invalid": Entry(
        Reaction.QUARANTINE,
        "The e-mail address is not one that Campaign accepts.",
        "A typing mistake in Dynamics.",
        f"Correct it in Dynamics (the record goes by itself), or set `invalid: blank` in the mapping. {_RETRY}",
        SETS_ASIDE,
    ),
    "value_invalid": Entry(
        Reaction.QUARANTINE,
        "A value cannot be converted to its Campaign field.",
        "The column holds another kind of value than the mapping declares.",
        f"Correct the value in Dynamics, or the field's `invalid` policy in the mapping. {_RETRY}",
        SETS_ASIDE,
    ),
    "column_absent": Entry(
        Reaction.QUARANTINE,
        "A mapped column is missing from the row even after reading it again.",
        "The column was removed in Dynamics, or column security hides it from the application user.",
        f"Give the application user's role read access to the column, or correct the mapping. {_RETRY}",
        SETS_ASIDE,
    ),
    "duplicate_other_key": Entry(
        Reaction.QUARANTINE,
        "Campaign says that the record exists, but none carries this contact's id.",
        "Another identification key of the resource (an e-mail, a customer number) belongs to another profile.",
        f"Find the other profile in Campaign and correct one of the two, or give it this externalId. {_RETRY}",
        SETS_ASIDE,
    ),
    "ambiguous_external_id": Entry(
        Reaction.QUARANTINE,
        "More than one Campaign profile carries this contact's id.",
        "The id is no identification key in Campaign, and a profile was created or imported twice.",
        f"Delete the surplus profile in Campaign. {_RETRY}",
        SETS_ASIDE,
    ),
    "profile_missing": Entry(
        Reaction.QUARANTINE,
        "The profile that the sync created is no longer in Campaign.",
        "Somebody deleted it there, perhaps by a privacy request.",
        "If it may be created again, set `on_missing: recreate` in the mapping and run `python -m sync retry`.",
        "Puts the record on hold: it is not created again by itself. A newer version in Dynamics looks once more.",
    ),
    "crashes_worker": Entry(
        Reaction.QUARANTINE,
        "Five workers in a row died while they worked on this record.",
        "A defect, or a host that was killed five times at the same place.",
        f"Report it with the record's correlation id. {_RETRY}",
        SETS_ASIDE,
    ),
    "internal_error": Entry(
        Reaction.QUARANTINE,
        "The sync failed on this record by a defect of its own.",
        "A case that the code does not foresee; the log event `plan_failed` names the kind.",
        f"Report it with the record's correlation id. {_RETRY}",
        SETS_ASIDE,
    ),
    "message_unreadable": Entry(
        Reaction.QUARANTINE,
        "A queue message is not one of this sync.",
        "Another program or an incompatible version wrote to the queue.",
        "Find who writes to the queue; a full read or a replay brings back whatever the message was about.",
        "Keeps the message's digest and length, not its text.",
    ),
    "waited_too_long": Entry(
        Reaction.QUARANTINE,
        "The record waited for more than seven days.",
        "Nobody approved or discarded its delete.",
        "Decide, then `python -m sync retry`.",
        SETS_ASIDE,
    ),
    "delete_brake": Entry(
        Reaction.PARK,
        "More deletes arrived within 24 hours than the brake allows.",
        "A mass delete in Dynamics, or a role that no longer lets the sync see all contacts.",
        "Look at `python -m sync deletes list`, then `deletes approve` or `deletes discard`.",
        "Parks the delete for approval; everything else goes on.",
    ),
    "delete_discarded": Entry(
        Reaction.QUARANTINE,
        "The contact is gone in Dynamics, and a person decided to keep its profile.",
        "`python -m sync deletes discard`.",
        "Nothing. If the profile shall go after all: `python -m sync retry ID`.",
        "Keeps the record on hold: sweeps, replays and repeated deletes leave it alone. A newer version in Dynamics "
        "is sent again.",
    ),
    "deletes_off": Entry(
        Reaction.PARK,
        "The contact is gone in Dynamics and its profile was kept.",
        "`deletes: false` in the mapping.",
        "Nothing.",
        "Records that the contact is gone and makes no call.",
    ),
    "storage_failed": Entry(
        Reaction.RETRY,
        "The storage account did not answer while a record was in work.",
        "A passing outage or throttling of the account.",
        "Check the storage account if it lasts.",
        AGAIN,
    ),
    "too_late": Entry(
        Reaction.WAIT,
        "A call was not started because it could not have ended before its claim.",
        "More work in flight than the service answers in time.",
        "Nothing; lower CAMPAIGN_CONCURRENCY if it is frequent.",
        "Sends the record back to its lane at once.",
    ),
}
