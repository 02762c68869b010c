"""`python -m services.inventory run | serve | work | migrate`."""

from services.inventory.app import service
from shared.runtime import main

if __name__ == "__main__":
    main(service)
