"""python -m services.leads run | serve | work | migrate"""

from services.leads.app import service
from shared.runtime import main

main(service)
