"""Fills an empty database with a Tryton company that sells one car to 200 customers. Runs in Tryton's environment, not in ours.

`tryton_setup.py trytond.conf database answers.json`
"""

import datetime
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from proteus import Model, config

MODULES = "sale"
CUSTOMERS = 200


def create(conf, database):
    program = Path(sys.executable).parent / "trytond-admin"
    command = [sys.executable, program, "-c", conf, "-d", database, "-u", MODULES, "--activate-dependencies", "--email", "a@example.org"]
    subprocess.run(list(map(str, command)), env=dict(os.environ), check=True, capture_output=True)


def company():
    from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax, get_accounts
    from trytond.modules.account_invoice.tests.tools import create_payment_term, set_fiscalyear_invoice_sequences
    from trytond.modules.company.tests.tools import create_company, get_company

    euro = Model.get("currency.currency")(name="Euro", symbol="€", code="EUR", rounding=Decimal("0.01"), digits=2)
    euro.rates.new(date=datetime.date(2020, 1, 1), rate=Decimal("1"))
    euro.save()
    create_company(currency=euro)
    create_chart()
    set_fiscalyear_invoice_sequences(create_fiscalyear()).click("create_period")
    tax = create_tax(Decimal(".19"))
    tax.save()
    term = create_payment_term()
    term.save()
    return get_company(), euro, get_accounts(), tax, term


def car(accounts, tax):
    category = Model.get("product.category")(name="Cars", accounting=True)
    category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    category.customer_taxes.append(tax)
    category.save()
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")])
    template = Model.get("product.template")()
    template.name, template.default_uom, template.type, template.salable = "VW Golf", unit, "goods", True
    template.list_price, template.account_category = Decimal("27450"), category
    template.save()
    (product,) = template.products
    (place,) = Model.get("stock.location").find([("code", "=", "STO")])
    count = Model.get("stock.inventory")(location=place)
    line = count.lines.new(product=product)
    line.quantity, line.expected_quantity = 10_000_000.0, 0.0
    count.click("confirm")
    return product, unit


def people():
    country = Model.get("country.country")(name="Germany", code="DE")
    country.save()
    made = []
    for number in range(CUSTOMERS):
        party = Model.get("party.party")(name=f"Customer {number:04}")
        address = party.addresses[0] if party.addresses else party.addresses.new()
        address.street, address.city, address.postal_code, address.country = f"Hauptstr. {number}", "Berlin", "10115", country
        party.save()
        made.append((party.id, party.addresses[0].id))
    return made


def main():
    conf, database, answers = sys.argv[1:]
    create(conf, database)
    config.set_trytond(database, user="admin", config_file=conf)
    legal, euro, accounts, tax, term = company()
    product, unit = car(accounts, tax)
    ids = {"company": legal, "currency": euro, "tax": tax, "payment_term": term, "product": product, "unit": unit}
    Path(answers).write_text(json.dumps({**{name: one.id for name, one in ids.items()}, "customers": people()}))


main()
