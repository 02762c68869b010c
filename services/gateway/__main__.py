"""`python -m services.gateway run | serve | work | migrate`."""

from services.gateway.app import service
from shared.runtime import main

main(service)
