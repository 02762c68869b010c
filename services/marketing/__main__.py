"""`python -m services.marketing run | serve | work | migrate`."""

from services.marketing.app import service
from shared.runtime import main

main(service)
