"""A lead: one person's interest in buying a brand from one legal entity, until it is converted or disqualified."""

from services.leads.domain.lead.consequences import claims, timers
from services.leads.domain.lead.decisions import decide
from services.leads.domain.lead.messages import Command, Event
from services.leads.domain.lead.state import Absent, State, evolve
from shared.decider import Decider

lead = Decider[Command, State, Event](Absent(), decide, evolve, claims, timers)
