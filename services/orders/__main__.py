"""python -m services.orders run | serve | work."""

from services.orders.app import service
from shared.runtime import main

main(service)
