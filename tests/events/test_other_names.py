"""A tenant that keeps other tables, such as those of Adobe's AppSource app: names, lengths and missing columns."""

from __future__ import annotations

from tests.events.stage import TEXT, TRACKING_HEADER, Stage, csv_of, sends, tracking_line, writes

NAMES = {
    "acs_emailsend": "adobe_emailsendevent",
    "acs_emailopen": "adobe_emailopenevent",
    "acs_emailclick": "adobe_urlclickevent",
    "acs_emailbounce": "adobe_emailbounceevent",
    "acs_campaignname": "adobe_campaign_id",
    "acs_deliveryname": "adobe_delivery_id",
    "acs_date": "adobe_event_date_",
    "acs_trackingurl": "adobe_url",
}


def renamed() -> str:
    """The shipped file with other names, without the bounce mark and the counters, and with a shorter column."""
    text = TEXT
    for ours, theirs in NAMES.items():
        text = text.replace(ours, theirs)
    send, found, rest = text.partition("      # Filled when the send later turned into a bounce.\n")
    assert found
    text = send + rest[rest.index("  open:\n") :]
    return text.replace(
        "campaign_name: adobe_campaign_id", "campaign_name: {name: adobe_campaign_id, length: 10}"
    )


async def test_events_land_in_the_tables_and_columns_that_the_file_names() -> None:
    stage = Stage(text=renamed())
    stage.contacts(30)
    sends(stage, 30)
    click = tracking_line(1, stage.contacts(1)[0], type="Email click", url="https://x.test")
    stage.drop("t.csv", csv_of(TRACKING_HEADER, [click]))
    await stage.settle()
    assert len(stage.dynamics.dump("adobe_emailsendevent")["records"]) == 30
    (shown,) = stage.dynamics.dump("adobe_urlclickevent")["records"]
    assert (shown["adobe_url"], shown["adobe_delivery_id"]) == ("https://x.test", "DM190")
    assert shown["adobe_campaign_id"] == "2019Loyal…" or len(shown["adobe_campaign_id"]) == 10
    assert shown["subject"] == "Campaign Name: 2019LoyaltyCamp; Delivery Name: DM190"


async def test_without_columns_for_the_mark_a_bounce_changes_no_send() -> None:
    stage = Stage(text=renamed())
    stage.contacts(30)
    sends(stage, 30)
    await stage.settle()
    since = len(stage.dynamics.log)
    sends(stage, 30, status="Failed", bounce="Hard", modified=-10)  # type: ignore[arg-type]
    await stage.settle()
    assert len(stage.activities("bounce")) == 30
    assert [note for note in writes(stage, since) if "adobe_emailsend" in note] == []
