"""`python -m services.reporting run | serve | work | migrate`."""

from services.reporting.app import service
from shared.runtime import main

main(service)
