"""Papers a customer takes home: contract, quote and receipt voucher as PDF."""

from shared.documents.render import digest, render, render_async
from shared.documents.shapes import Car, Contract, Delivery, Instalment, Line, Party, Quote, Receipt, Signature

__all__ = [
    "Car",
    "Contract",
    "Delivery",
    "Instalment",
    "Line",
    "Party",
    "Quote",
    "Receipt",
    "Signature",
    "digest",
    "render",
    "render_async",
]
