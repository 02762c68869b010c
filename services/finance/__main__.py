"""`python -m services.finance run | serve | work | migrate`."""

from services.finance.app import service
from shared.runtime import main

main(service)
