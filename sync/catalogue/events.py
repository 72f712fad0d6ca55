"""Codes of the events flow: export files, their lines, and what becomes of events."""

from __future__ import annotations

from sync.catalogue.entry import STOPS, Entry, Reaction

_FILE = "Refuses the file; all others go on. The same file uploaded again is read again."
_LINE = "Notes the file and line as quarantined, never its text; all other lines go on."
_AGAIN = "Correct the export workflow and upload the file again: lines that were read already change nothing."
_BOTH = (
    _AGAIN
    + " Or name the columns and values of your exports under `exports` in `mappings/events.yaml`, restart the app, "
    "and run `python -m sync events reread`."
)
_DROPS = "Counts the event and writes nothing."


def _file(meaning: str, cause: str, fix: str = _AGAIN) -> Entry:
    return Entry(Reaction.QUARANTINE, meaning, cause, fix, _FILE)


def _line(meaning: str, cause: str, fix: str = _BOTH) -> Entry:
    return Entry(Reaction.QUARANTINE, meaning, cause, fix, _LINE)


EVENTS: dict[str, Entry] = {
    "file_too_large": _file(
        "An export file is larger than EVENTS_FILE_MB.",
        "An export over a very long time, or a file that is no export.",
        "Export in smaller steps; or raise EVENTS_FILE_MB and run `python -m sync events reread --refused`.",
    ),
    "file_too_old": _file(
        "An export file is older than the event rows are kept (EVENTS_DAYS).",
        "The file lay elsewhere before; its events may have been written and forgotten since.",
        "If its events never were written, export them again: only lines older than EVENTS_DAYS stay out.",
    ),
    "file_encoding": _file(
        "The first line of an export file cannot be read as UTF-8 text.",
        "The file is written in another encoding (UTF-16, Latin-1), or it is no CSV file.",
        "Set UTF-8 in the Extract file activity. " + _AGAIN,
    ),
    "header_missing": _file(
        "Columns of a log export are missing; the log event names them.",
        "A column was left out or renamed in the Extract file activity, or another delimiter was chosen.",
        _BOTH,
    ),
    "line_width": _line(
        "A line has more or fewer columns than the header.", "A delimiter inside a value without quotes."
    ),
    "line_open_quote": _line(
        "A value begins with a quote that is never closed.", "A quote inside a value that was not doubled."
    ),
    "line_malformed": _line("A line is no valid CSV.", "Text behind a closing quote, or a very long line."),
    "line_encoding": _line("A line is not UTF-8.", "The export is written in another encoding."),
    "kind_unknown": _line(
        "The status or type of a line is none of those that are configured.",
        "Another language or numeric values in the export.",
    ),
    "value_missing": _line("A line lacks its id or its delivery.", "An incomplete export query."),
    "name_too_long": _line(
        "An id or delivery name is longer than Campaign allows.", "Columns were mixed up."
    ),
    "flag_unknown": _line("A proof or seed flag is neither yes nor no.", "Columns were mixed up."),
    "date_wrong": _line(
        "A date is not of the form 2026-11-24 10:50:08Z.", "Another date format in the Extract file activity."
    ),
    "exports_unreachable": Entry(
        Reaction.STOP,
        "The container with the log exports cannot be read.",
        "EVENTS_CONTAINER or EVENTS_BLOB_URI names none, the identity lacks the role Storage Blob Data Reader on it, the "
        "network is closed to the app, or the account did not answer.",
        "Check both settings, the role Storage Blob Data Reader of the app's identity on the container, and the network, "
        "in this order; docs/campaign-setup.md, step 1.",
        STOPS,
    ),
    "activity_table_unfit": Entry(
        Reaction.STOP,
        "A table named in `mappings/events.yaml` cannot be about a contact.",
        "It is no activity table, or another table has its name.",
        "Correct the name, or run `python -m sync setup dynamics`.",
        STOPS,
    ),
    "activity_deleted": Entry(
        Reaction.PARK,
        "Somebody deleted the activity in Dynamics.",
        "A salesperson cleaned up the timeline.",
        "Nothing.",
        "Leaves it deleted: later events of the same mail do not bring it back.",
    ),
    "contact_unknown": Entry(
        Reaction.PARK,
        "The contact of an event is not known yet.",
        "It was created in Campaign first, or its first load has not finished.",
        "Nothing.",
        "Keeps the event and writes it when the contact appears, for EVENTS_PARKED_DAYS days.",
    ),
    "contact_deleted": Entry(
        Reaction.QUARANTINE,
        "The contact of an event was deleted in Dynamics.",
        "A deletion.",
        "Nothing.",
        _DROPS,
    ),
    "contact_blocked": Entry(
        Reaction.QUARANTINE,
        "The contact's profile was erased in Campaign, or its id is blocked.",
        "A privacy request, or `python -m sync block`.",
        "Nothing.",
        _DROPS,
    ),
}
