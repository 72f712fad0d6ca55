"""The `profile` resource (nms:recipient): names and shapes of adobe.md B.5, lengths of A.6.

Not published, so chosen here: the lengths of the `location` items; the values of `timeZone` and
`preferredLanguage` are a sample.
"""

from __future__ import annotations

from sandbox.campaign.schema import Enumerated, Field, Kind, Resource

CONTACT = "02_contact"
EMAILS = "03_emails"
ADDRESS = "04_address"
CONSENT = "05_noLongerContact"
SUBSCRIPTION = "subscriptionRcp"
THUMBNAIL = "/nl/img/thumbnails/defaultProfil.png"

GENDER = (
    Enumerated("unknown", "Unspecified", "0"),
    Enumerated("male", "Male", "1"),
    Enumerated("female", "Female", "2"),
)
EMAIL_FORMAT = (
    Enumerated("unknown", "Unknown", "0"),
    Enumerated("text", "Text", "1"),
    Enumerated("html", "HTML", "2"),
)
TIME_ZONE = (
    Enumerated("none", "Default", "none"),
    Enumerated("Europe_Berlin", "(GMT+01:00) Amsterdam, Berlin, Rome, Vienna", "Europe/Berlin"),
    Enumerated("Europe_Paris", "(GMT+01:00) Brussels, Copenhagen, Madrid, Paris", "Europe/Paris"),
    Enumerated("Asia_Tokyo", "(GMT+09:00) Osaka, Sapporo, Tokyo", "Asia/Tokyo"),
)
LANGUAGE = (
    Enumerated("none", "Not specified", "none"),
    Enumerated("en_us", "English (United States)", "en_us"),
    Enumerated("fr_fr", "French (France)", "fr_fr"),
    Enumerated("de_de", "German (Germany)", "de_de"),
)

LOCATION = tuple(
    Field(name, "string", label, length, ADDRESS)
    for name, label, length in (
        ("address1", "Apartment", 80),
        ("address2", "Building", 80),
        ("address3", "Street", 80),
        ("address4", "District", 80),
        ("city", "City", 100),
        ("countryCode", "Country code", 2),
        ("stateCode", "State code", 2),
        ("zipCode", "Zip/Postcode", 15),
    )
)
POSTAL_ADDRESS = (
    Field("addrDefined", "boolean", read_only=True),
    Field("addrErrorCount", "integer", read_only=True),
    Field("addrLastCheck", "date", read_only=True),
    Field("addrQuality", "string", read_only=True, default="0"),
    *(Field(f"line{number}", "string", read_only=True) for number in range(1, 7)),
    Field("serialized", "string", read_only=True),
)

OPT_OUTS = {
    "blackList": "No longer contact (by any channel)",
    "blackListEmail": "No longer contact by email",
    "blackListFax": "No longer contact by fax",
    "blackListMobile": "No longer contact by SMS",
    "blackListPhone": "No longer contact by phone",
    "blackListPostalMail": "No longer contact by direct mail",
    "blackListPushnotification": "No longer contact by push notification",
    "ccpaOptOut": "CCPA opt-out",
}


def _opt_outs() -> tuple[Field, ...]:
    """The booleans and the fields that date each change; `blackListAll…` dates `blackList` too."""
    flags = [Field(name, "boolean", label, 0, CONSENT) for name, label in OPT_OUTS.items()]
    dated = {f"{name}LastModified": name for name in OPT_OUTS} | {"blackListAllLastModified": "blackList"}
    stamps = [
        Field(name, "datetime", "", 0, CONSENT, read_only=True, stamped_by=flag)
        for name, flag in dated.items()
    ]
    return (*flags, *stamps)


def _text(name: str, label: str, length: int, category: str = CONTACT) -> Field:
    return Field(name, "string", label, length, category)


def _choice(name: str, label: str, values: tuple[Enumerated, ...], length: int = 0) -> Field:
    """An enumeration that reads as its first value when it was never set."""
    return Field(name, "enumeration", label, length, CONTACT, values=values, default=values[0].name)


def _computed(name: str, kind: Kind, label: str, length: int = 0) -> Field:
    return Field(name, kind, label, length, read_only=True)


PROFILE = Resource(
    name="profile",
    label="Profile",
    plural="Profiles",
    help="Identified profiles",
    schema="nms:recipient",
    table="nmsrecipient",
    families=("profileAndServices", "profileAndServicesExt"),
    filters=("byEmail", "byText"),
    searched=("email", "firstName", "lastName"),
    fields=tuple(
        sorted(
            (
                _computed("PKey", "string", "Main resource ID"),
                _computed("age", "integer", "Age"),
                Field("birthDate", "date", "Date of birth", 0, CONTACT),
                *_opt_outs(),
                _computed("created", "datetime", "Created"),
                _computed("cryptedId", "string", "Encrypted ID"),
                Field("cusAccountExternalId", "string", "Account's CRM id", 100, CONTACT, extended=True),
                Field("cusCrmNumber", "string", "CRM number", 40, CONTACT, extended=True),
                _computed("domain", "string", "Email domain", 255),
                _text("email", "Email", 128, EMAILS),
                _choice("emailFormat", "Email format", EMAIL_FORMAT),
                _text("externalId", "External Resource ID", 100),
                _text("fax", "Fax", 32),
                _text("firstName", "First name", 30),
                _choice("gender", "Gender", GENDER),
                _computed("isExternal", "boolean", "Is external resource"),
                _computed("lastModified", "datetime", "Last modified"),
                _text("lastName", "Last name", 50),
                Field("location", "item", "Location", 0, ADDRESS, items=LOCATION),
                _text("middleName", "Middle name", 30),
                _text("mobilePhone", "Mobile", 32),
                _text("phone", "Phone", 32),
                Field("postalAddress", "item", "Postal address", read_only=True, items=POSTAL_ADDRESS),
                _choice("preferredLanguage", "Language", LANGUAGE),
                _text("salutation", "Title", 20),
                Field("subscriptions", "collection", "Subscriptions", read_only=True, target=SUBSCRIPTION),
                Field("thumbnail", "string", "Thumbnail", 255, default=THUMBNAIL),
                _choice("timeZone", "Time zone", TIME_ZONE, 64),
                _computed("title", "string", "Title", 255),
            ),
            key=lambda field: field.name,
        )
    ),
)
