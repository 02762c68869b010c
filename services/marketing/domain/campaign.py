"""A campaign: planned, approved by somebody else, run, and paid for within its budget."""

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import Literal, assert_never

from shared.decider import Decider, Rejected, Schedule, Timer, Unschedule, message, replace
from shared.values.money import Money

type Kind = Literal["show", "test-drive-day", "group-buy", "launch"]
type Status = Literal["planned", "submitted", "approved", "running", "finished", "cancelled"]


@message
class Plan:
    """`starts_at` is the moment the first day begins at the store; `people` are staff ids; goals are numbers of leads and orders."""

    name: str
    kind: Kind
    place: str
    starts_on: date
    ends_on: date
    starts_at: datetime
    goal_leads: int
    goal_orders: int
    budget: Money
    people: tuple[str, ...]


@message
class PlanCampaign:
    campaign_id: str
    store_id: str
    entity_id: str
    plan: Plan
    by: str
    at: datetime


@message
class RevisePlan:
    plan: Plan
    by: str
    at: datetime


@message
class SubmitCampaign:
    by: str
    at: datetime


@message
class ApproveCampaign:
    by: str
    at: datetime


@message
class DeclineCampaign:
    reason: str
    by: str
    at: datetime


@message
class StartCampaign:
    """The clock's command for the first day."""

    at: datetime


@message
class RecordSpend:
    spend_id: str
    supplier: str
    purpose: str
    amount: Money
    by: str
    at: datetime


@message
class ApproveOverspend:
    spend_id: str
    by: str
    at: datetime


@message
class DeclineOverspend:
    spend_id: str
    by: str
    at: datetime


@message
class FinishCampaign:
    by: str
    at: datetime


@message
class CancelCampaign:
    reason: str
    by: str
    at: datetime


@message
class CampaignPlanned:
    campaign_id: str
    store_id: str
    entity_id: str
    plan: Plan
    by: str


@message
class PlanRevised:
    plan: Plan
    by: str


@message
class CampaignSubmitted:
    by: str


@message
class CampaignApproved:
    starts_at: datetime
    by: str


@message
class CampaignDeclined:
    reason: str
    by: str


@message
class CampaignStarted: ...


@message
class CampaignSpent:
    """`approved_by` is set when it exceeded the budget."""

    spend_id: str
    supplier: str
    purpose: str
    amount: Money
    by: str
    approved_by: str | None


@message
class OverspendRequested:
    """Would exceed the budget: nothing is owed until somebody else approves it."""

    spend_id: str
    supplier: str
    purpose: str
    amount: Money
    by: str


@message
class OverspendDeclined:
    spend_id: str
    by: str


@message
class CampaignFinished:
    by: str


@message
class CampaignCancelled:
    reason: str
    by: str


@message
class Absent: ...


@message
class Campaign:
    """`planners` are all who shaped the plan or handed it in; `held` are the spends that wait for an approval."""

    campaign_id: str
    store_id: str
    entity_id: str
    plan: Plan
    planners: frozenset[str]
    status: Status = "planned"
    spent: int = 0
    held: Mapping[str, OverspendRequested] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    """Spends made or declined."""


type Command = (
    PlanCampaign
    | RevisePlan
    | SubmitCampaign
    | ApproveCampaign
    | DeclineCampaign
    | StartCampaign
    | RecordSpend
    | ApproveOverspend
    | DeclineOverspend
    | FinishCampaign
    | CancelCampaign
)
type Event = (
    CampaignPlanned
    | PlanRevised
    | CampaignSubmitted
    | CampaignApproved
    | CampaignDeclined
    | CampaignStarted
    | CampaignSpent
    | OverspendRequested
    | OverspendDeclined
    | CampaignFinished
    | CampaignCancelled
)
type State = Absent | Campaign


def decide(command: Command, state: State) -> list[Event]:
    """What becomes of a command; [] when it is already so."""
    match command, state:
        case PlanCampaign(campaign_id=campaign_id, store_id=store_id, entity_id=entity_id, plan=plan, by=by), Absent():
            return [CampaignPlanned(campaign_id=campaign_id, store_id=store_id, entity_id=entity_id, plan=sound(plan), by=by)]
        case PlanCampaign(), Campaign():
            return []
        case RecordSpend(), Campaign():
            return spend(command, state)
        case ((ApproveOverspend() | DeclineOverspend()), Campaign()):
            return judge(command, state)
        case ((PlanCampaign() | RecordSpend() | ApproveOverspend() | DeclineOverspend()), _):
            raise Rejected("illegal-transition", "There is no such campaign.")
        case _, Campaign():
            return advance(command, state)
        case _:
            raise Rejected("illegal-transition", "There is no such campaign.")


type Step = RevisePlan | SubmitCampaign | ApproveCampaign | DeclineCampaign | StartCampaign | FinishCampaign | CancelCampaign


def advance(command: Step, campaign: Campaign) -> list[Event]:
    """From the plan to its end; it runs only once somebody else has approved it."""
    match command, campaign.status:
        case RevisePlan(plan=plan, by=by), "planned":
            return [] if plan == campaign.plan else [PlanRevised(plan=sound(plan), by=by)]
        case SubmitCampaign(by=by), "planned":
            return [CampaignSubmitted(by=by)]
        case ((ApproveCampaign() | DeclineCampaign()), "submitted") if command.by in campaign.planners:
            raise Rejected("four-eyes", "Who planned a campaign may not decide on it.")
        case ApproveCampaign(by=by), "submitted":
            return [CampaignApproved(starts_at=campaign.plan.starts_at, by=by)]
        case DeclineCampaign(reason=reason, by=by), "submitted":
            return [CampaignDeclined(reason=reason, by=by)]
        case StartCampaign(), "approved":
            return [CampaignStarted()]
        case StartCampaign(), "planned" | "submitted":
            raise Rejected("campaign-not-approved", "A campaign that nobody approved does not run.")
        case FinishCampaign(by=by), "running":
            return [CampaignFinished(by=by)]
        case CancelCampaign(reason=reason, by=by), "planned" | "submitted" | "approved" | "running":
            return [CampaignCancelled(reason=reason, by=by)]
        case (
            (SubmitCampaign(), "submitted")
            | (ApproveCampaign(), "approved" | "running")
            | (StartCampaign(), "running" | "finished" | "cancelled")
            | (FinishCampaign(), "finished")
            | (CancelCampaign(), "cancelled")
        ):
            return []
        case _:
            raise Rejected("illegal-transition", f"This campaign is {campaign.status}.")


def sound(plan: Plan) -> Plan:
    """The plan, when its days and its budget make sense. Raises Rejected."""
    if plan.ends_on < plan.starts_on:
        raise Rejected("validity-invalid", "A campaign ends on or after its first day.")
    if plan.budget.minor <= 0:
        raise Rejected("amount-not-positive", "A campaign has a budget.")
    return plan


def spend(command: RecordSpend, campaign: Campaign) -> list[Event]:
    """A spend within the budget is made; one beyond it is held until it is approved."""
    if command.spend_id in campaign.settled or command.spend_id in campaign.held:
        return []
    if campaign.status in ("planned", "submitted"):
        raise Rejected("campaign-not-approved", "A campaign that nobody approved spends nothing.")
    if campaign.status == "cancelled":
        raise Rejected("illegal-transition", "This campaign is cancelled.")
    if command.amount.currency != campaign.plan.budget.currency:
        raise Rejected("currency-differs", "A campaign spends in the currency of its budget.")
    if command.amount.minor <= 0:
        raise Rejected("amount-not-positive", "A spend is more than zero.")
    wanted = OverspendRequested(
        spend_id=command.spend_id, supplier=command.supplier, purpose=command.purpose, amount=command.amount, by=command.by
    )
    if campaign.spent + command.amount.minor > campaign.plan.budget.minor:
        return [wanted]
    return [made(wanted, None)]


def judge(command: ApproveOverspend | DeclineOverspend, campaign: Campaign) -> list[Event]:
    """Another person's word on a spend that exceeds the budget."""
    if command.spend_id in campaign.settled:
        return []
    held = campaign.held.get(command.spend_id)
    if held is None:
        raise Rejected("illegal-transition", "No such spend waits for an approval.")
    if command.by == held.by:
        raise Rejected("four-eyes", "Who spends beyond the budget may not approve it.")
    if isinstance(command, DeclineOverspend):
        return [OverspendDeclined(spend_id=held.spend_id, by=command.by)]
    return [made(held, command.by)]


def made(wanted: OverspendRequested, approved_by: str | None) -> CampaignSpent:
    return CampaignSpent(
        spend_id=wanted.spend_id,
        supplier=wanted.supplier,
        purpose=wanted.purpose,
        amount=wanted.amount,
        by=wanted.by,
        approved_by=approved_by,
    )


def evolve(state: State, event: Event) -> State:
    """The campaign after an event."""
    if isinstance(event, CampaignPlanned):
        return Campaign(
            campaign_id=event.campaign_id,
            store_id=event.store_id,
            entity_id=event.entity_id,
            plan=event.plan,
            planners=frozenset((event.by,)),
        )
    assert isinstance(state, Campaign)
    match event:
        case PlanRevised(plan=plan, by=by):
            return replace(state, plan=plan, planners=state.planners | {by})
        case CampaignSubmitted(by=by):
            return replace(state, status="submitted", planners=state.planners | {by})
        case CampaignApproved():
            return replace(state, status="approved")
        case CampaignDeclined():
            return replace(state, status="planned")
        case CampaignStarted():
            return replace(state, status="running")
        case OverspendRequested(spend_id=spend_id):
            return replace(state, held={**state.held, spend_id: event})
        case CampaignSpent(spend_id=spend_id, amount=amount):
            return replace(settled(state, spend_id), spent=state.spent + amount.minor)
        case OverspendDeclined(spend_id=spend_id):
            return settled(state, spend_id)
        case CampaignFinished():
            return replace(state, status="finished")
        case CampaignCancelled():
            return replace(state, status="cancelled")
        case unknown:
            assert_never(unknown)


def settled(campaign: Campaign, spend_id: str) -> Campaign:
    held = {id: waiting for id, waiting in campaign.held.items() if id != spend_id}
    return replace(campaign, held=held, settled=campaign.settled | {spend_id})


def timers(event: Event) -> list[Timer]:
    """An approved campaign starts with its first day."""
    match event:
        case CampaignApproved(starts_at=starts_at):
            return [Schedule(key="start", command=StartCampaign(at=starts_at), at=starts_at)]
        case CampaignCancelled():
            return [Unschedule(key="start")]
        case _:
            return []


campaign = Decider[Command, State, Event](Absent(), decide, evolve, timers=timers)
