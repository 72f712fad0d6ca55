"""What a profile must look like: written by hand for the simulation's small mapping, never taken from `sync/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, Any]

GENDERS = ({1: "male", 2: "female"}, {1: "female", 2: "male"})
"""The two value tables that mapping edits switch between."""
BAD_EMAIL = "not an address"
SELECTED = (
    "firstname",
    "lastname",
    "salutation",
    "emailaddress1",
    "gendercode",
    "middlename",
    "fax",
    "familystatuscode",
    "merged",
)
OUTSIDE = 4
"""The family status that the filter leaves out."""
LEFT, DELETED = "left", "deleted"
"""What marked profiles carry in `fax`."""

TEXT = """\
mapping: contacts
source: {{table: contact, entity_set: contacts, key: contactid}}
target: {{resource: profile, key: externalId}}
options: {{deletes: {deletes}, on_missing: {on_missing}, follow_merges: {merges}{more}}}
fields:
  - {{source: firstname, target: firstName, type: string, length: 30, too_long: truncate}}
  - {{source: lastname, target: lastName, type: string, length: 50}}
  - {{source: salutation, target: salutation, type: string, length: 20, apply_updates: false}}
  - {{source: emailaddress1, target: email, type: email, length: 128}}
  - {{source: gendercode, target: gender, type: enumeration, values: {{1: {one}, 2: {two}}}, default: unknown}}
  - {{source: fax, target: fax, type: string, length: 32}}
"""
LABEL = "  - {source: gendercode, target: mobilePhone, type: string, length: 32, label: true}\n"
FILTER = "filter: {all: [{not: {column: familystatuscode, operator: equals, value: 4}}]}\n"
MIDDLE = "  - {source: middlename, target: middleName, type: string, length: 30}\n"


@dataclass(frozen=True, slots=True)
class SmallMapping:
    """One version of the simulation's mapping."""

    deletes: bool | str = True
    """Or `mark`."""
    on_missing: str = "hold"
    genders: int = 0
    middle: bool = False
    filtered: bool = False
    leaving: str = "keep"
    """Or `delete`, `mark`."""
    labels: str = ""
    """What the genders are called in Dynamics, if the mapping sends that: `man/woman`."""
    merges: str = "false"
    first_load: bool = False
    """Whether the first load sends only those with gender 1."""

    def at_first(self, source: Values) -> bool:
        """Whether the first load sends it."""
        return not self.first_load or source.get("gendercode") == 1

    def loses(self, source: Values) -> bool:
        """Whether the profile of this contact goes, since it was merged into another."""
        return self.merges == "delete" and bool(source.get("merged"))

    @property
    def text(self) -> str:
        table = GENDERS[self.genders]
        more = f", leaving: {_mark(self.leaving, LEFT)}" if self.filtered else ""
        if self.first_load:
            more += ", first_load: {column: gendercode, operator: equals, value: 1}"
        head = TEXT.format(
            deletes=_mark(self.deletes, DELETED),
            more=more,
            on_missing=self.on_missing,
            merges=self.merges,
            one=table[1],
            two=table[2],
        )
        fields = (MIDDLE if self.middle else "") + (LABEL if self.labels else "")
        return head + fields + (FILTER if self.filtered else "")

    def wanted(self, source: Values) -> bool:
        """Whether the record passes the filter."""
        return not self.filtered or source.get("familystatuscode") != OUTSIDE

    def profile(self, source: Values) -> dict[str, str] | None:
        """The profile's fields; None if a person must look at the record."""
        email = source.get("emailaddress1") or ""
        if email and "@" not in email:
            return None
        profile = {
            "firstName": _smart(source.get("firstname") or ""),
            "lastName": _smart(source.get("lastname") or ""),
            "salutation": source.get("salutation") or "",
            "email": email,
            "gender": GENDERS[self.genders].get(source.get("gendercode") or 0, "unknown"),
            "fax": source.get("fax") or "",
        }
        if self.labels:
            told = ["", *self.labels.split("/")]
            gender = source.get("gendercode") or 0
            if gender >= len(told):
                return None
            profile["mobilePhone"] = told[gender]
        if self.middle:
            profile["middleName"] = _smart(source.get("middlename") or "")
        return profile

    def updates(self, source: Values) -> dict[str, str] | None:
        """The same without what only a create writes."""
        profile = self.profile(source)
        if profile is not None:
            del profile["salutation"]
        return profile


def _mark(what: bool | str, text: str) -> str:
    return f"{{target: fax, value: {text}}}" if what == "mark" else str(what).lower()


def _smart(text: str) -> str:
    """Campaign's smartCase data policy rewrites names; the texts used here are one word each."""
    return text[:1].upper() + text[1:].lower()
