"""Stored names of the customers service, and how older shapes become today's."""

from services.customers.domain import customer_messages as m
from shared.events.registry import Registry

stored = Registry(
    "customers",
    events={
        "CustomerRegistered": m.CustomerRegistered,
        "CustomerNumbered": m.CustomerNumbered,
        "CustomerCorrected": m.CustomerCorrected,
        "ContactsIndexed": m.ContactsIndexed,
        "ConsentRecorded": m.ConsentRecorded,
        "DealRecorded": m.DealRecorded,
        "CustomerMarkedInvalid": m.CustomerMarkedInvalid,
        "CustomerArchived": m.CustomerArchived,
        "CustomerRestored": m.CustomerRestored,
        "CustomerForgotten": m.CustomerForgotten,
        "KeysDestroyed": m.KeysDestroyed,
    },
)
