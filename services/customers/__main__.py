"""`python -m services.customers run | serve | work | migrate`."""

from services.customers.app import service
from shared.runtime import main

main(service)
