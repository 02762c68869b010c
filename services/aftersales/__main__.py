"""`python -m services.aftersales run | serve | work | migrate`."""

from services.aftersales.app import service
from shared.runtime import main

main(service)
