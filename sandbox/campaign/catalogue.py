"""The resources every instance has: profiles, services, and custom ones, linked to profiles and not."""

from __future__ import annotations

from sandbox.campaign.orders import ACCOUNT, LINE, ORDER, STAMPS
from sandbox.campaign.profile import PROFILE
from sandbox.campaign.schema import Enumerated, Field, Resource

SERVICE = Resource(
    name="service",
    label="Service",
    plural="Services",
    help="Information services",
    schema="nms:service",
    table="nmsservice",
    families=("profileAndServices", "profileAndServicesExt"),
    filters=("byChannel", "byText"),
    searched=("label", "name"),
    fields=(
        *STAMPS,
        Field("end", "date", "End"),
        Field("label", "string", "Label", 128),
        Field("limitedDuration", "boolean", "Limited duration"),
        Field(
            "messageType",
            "enumeration",
            "Channel",
            values=(Enumerated("email", "Email", "0"), Enumerated("sms", "SMS", "1")),
            default="email",
        ),
        Field(
            "mode",
            "enumeration",
            "Mode",
            values=(Enumerated("newsletter", "Newsletter", "0"), Enumerated("viral", "Viral", "1")),
            default="newsletter",
        ),
        Field("name", "string", "ID", 64),
        Field("start", "date", "Start"),
        Field("targetResource", "string", "Target resource", 100, read_only=True, default="profile"),
        Field("title", "string", "Title", read_only=True),
    ),
)

VEHICLE = Resource(
    name="cusVehicle",
    label="Vehicle",
    plural="Vehicles",
    help="Vehicles of profiles",
    schema="cus:vehicle",
    table="cusvehicle",
    families=("profileAndServicesExt",),
    fields=(
        *STAMPS,
        Field("active", "boolean", "Active"),
        Field("externalId", "string", "CRM id", 100),
        Field("ownerExternalId", "string", "Owner", 100),
        Field("price", "double", "Price"),
        Field("purchaseDate", "date", "Purchase date"),
        Field("vehicleName", "string", "Name", 80),
        Field("vehicleNumber", "string", "Number", 40),
        Field("year", "integer", "Year"),
    ),
)

PRODUCT = Resource(
    name="cusProduct",
    label="Product",
    plural="Products",
    help="Product",
    schema="cus:product",
    table="cusproduct",
    families=("customResources",),
    fields=(*STAMPS, Field("code", "string", "Code", 40), Field("label", "string", "Label", 100)),
)

RESOURCES = {
    resource.name: resource for resource in (PROFILE, SERVICE, VEHICLE, PRODUCT, ACCOUNT, ORDER, LINE)
}
"""What every instance has; `custom_resource` adds to it."""
FAMILIES = ("profileAndServices", "profileAndServicesExt", "customResources")
