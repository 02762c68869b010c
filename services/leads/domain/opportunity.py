"""An opportunity: a person's purchase in the making, from stage to stage until it is won by an order or lost with approval."""

from datetime import datetime
from typing import Annotated, assert_never

from services.leads.domain.stages import LOST, STANDARD, WON, Stages
from shared.decider import Decider, Rejected, message, replace
from shared.values.personal import Personal


@message
class OpenOpportunity:
    opportunity_id: str
    lead_id: str | None
    person_id: str
    store_id: str
    entity_id: str
    seller_id: str
    campaign_id: str | None
    channel: str
    brand: str
    series: str
    name: str
    phone: str
    at: datetime
    stages: Stages = STANDARD


@message
class AdvanceOpportunity:
    to: str
    by: str
    manager: bool = False
    at: datetime
    stages: Stages = STANDARD


@message
class RecordFollowUp:
    follow_up_id: str
    by: str
    manager: bool = False
    kind: str
    text: str
    doubts: tuple[str, ...] = ()
    plan: str = ""
    next_at: datetime | None = None
    at: datetime


@message
class RequestLoss:
    """`reason` and `competitor` are codes that can be counted, `note` is sealed."""

    reason: str
    competitor: str | None
    note: str = ""
    by: str
    manager: bool = False
    at: datetime


@message
class ApproveLoss:
    by: str
    at: datetime


@message
class RefuseLoss:
    by: str
    reason: str
    at: datetime


@message
class WinOpportunity:
    order_id: str
    at: datetime


@message
class OpportunityOpened:
    opportunity_id: str
    lead_id: str | None
    person_id: str
    store_id: str
    entity_id: str
    seller_id: str
    campaign_id: str | None
    channel: str
    brand: str
    series: str
    name: Annotated[str, Personal]
    phone: Annotated[str, Personal]
    stage: str
    stages_version: int
    opened_at: datetime


@message
class StageEntered:
    """`since` is when the stage left behind was entered, `entered_at` when the new one is: the difference is its dwell."""

    stage_from: str
    stage_to: str
    since: datetime
    entered_at: datetime
    by: str
    stages_version: int


@message
class FollowUpRecorded:
    follow_up_id: str
    seller_id: str
    kind: str
    text: Annotated[str, Personal]
    doubts: tuple[str, ...]
    plan: Annotated[str, Personal]
    next_at: datetime | None


@message
class LossRequested:
    reason: str
    competitor: str | None
    note: Annotated[str, Personal]
    by: str


@message
class LossRefused:
    by: str
    reason: str


@message
class OpportunityLost:
    reason: str
    competitor: str | None
    stage_from: str
    since: datetime
    requested_by: str
    approved_by: str
    lost_at: datetime


@message
class OpportunityWon:
    order_id: str
    stage_from: str
    since: datetime
    won_at: datetime


@message
class Absent: ...


@message
class Opportunity:
    opportunity_id: str
    lead_id: str | None
    person_id: str
    store_id: str
    seller_id: str
    stage: str
    since: datetime
    follow_ups: frozenset[str] = frozenset()
    loss: LossRequested | None = None
    order_id: str | None = None


type Command = OpenOpportunity | AdvanceOpportunity | RecordFollowUp | RequestLoss | ApproveLoss | RefuseLoss | WinOpportunity
type Event = OpportunityOpened | StageEntered | FollowUpRecorded | LossRequested | LossRefused | OpportunityLost | OpportunityWon
type State = Absent | Opportunity


def decide(command: Command, state: State) -> list[Event]:
    """What an opportunity allows."""
    match command, state:
        case OpenOpportunity(), Absent():
            return [_open(command)]
        case OpenOpportunity(), Opportunity():
            return []
        case AdvanceOpportunity(), Opportunity():
            return _advance(command, state)
        case RecordFollowUp(), Opportunity():
            return _follow_up(command, state)
        case WinOpportunity(order_id=order, at=at), Opportunity():
            if state.order_id is not None:
                return []
            return [OpportunityWon(order_id=order, stage_from=state.stage, since=state.since, won_at=at)]
        case ((RequestLoss() | ApproveLoss() | RefuseLoss()), Opportunity()):
            return _loss(command, state)
        case _:
            raise Rejected("illegal-transition", "There is no such opportunity.")


def _open(command: OpenOpportunity) -> OpportunityOpened:
    return OpportunityOpened(
        opportunity_id=command.opportunity_id,
        lead_id=command.lead_id,
        person_id=command.person_id,
        store_id=command.store_id,
        entity_id=command.entity_id,
        seller_id=command.seller_id,
        campaign_id=command.campaign_id,
        channel=command.channel,
        brand=command.brand,
        series=command.series,
        name=command.name,
        phone=command.phone,
        stage=command.stages.stages[0].name,
        stages_version=command.stages.version,
        opened_at=command.at,
    )


def _owned(by: str, manager: bool, state: Opportunity) -> None:
    if by != state.seller_id and not manager:
        raise Rejected("not-yours", "This opportunity belongs to another seller.")


def _advance(command: AdvanceOpportunity, state: Opportunity) -> list[Event]:
    _owned(command.by, command.manager, state)
    if command.to == state.stage:
        return []
    command.stages.check(state.stage, command.to)
    entered = StageEntered(
        stage_from=state.stage,
        stage_to=command.to,
        since=state.since,
        entered_at=command.at,
        by=command.by,
        stages_version=command.stages.version,
    )
    return [entered]


def _follow_up(command: RecordFollowUp, state: Opportunity) -> list[Event]:
    if command.follow_up_id in state.follow_ups:
        return []
    _owned(command.by, command.manager, state)
    if command.next_at is not None and command.next_at <= command.at:
        raise Rejected("in-the-past", "The next contact must lie in the future.")
    recorded = FollowUpRecorded(
        follow_up_id=command.follow_up_id,
        seller_id=command.by,
        kind=command.kind,
        text=command.text,
        doubts=command.doubts,
        plan=command.plan,
        next_at=command.next_at,
    )
    return [recorded]


def _loss(command: RequestLoss | ApproveLoss | RefuseLoss, state: Opportunity) -> list[Event]:
    """A loss needs a second pair of eyes."""
    if state.stage == LOST and isinstance(command, ApproveLoss):
        return []
    if state.order_id is not None or state.stage == LOST:
        raise Rejected("opportunity-closed", f"This opportunity is {state.stage}.")
    match command, state.loss:
        case RequestLoss(reason=reason, competitor=competitor, note=note, by=by), None:
            _owned(by, command.manager, state)
            return [LossRequested(reason=reason, competitor=competitor, note=note, by=by)]
        case RequestLoss(), LossRequested():
            raise Rejected("loss-requested", "This opportunity waits for the decision on an earlier request.")
        case ((ApproveLoss(by=by) | RefuseLoss(by=by)), LossRequested(by=asker)) if by == asker:
            raise Rejected("four-eyes", "Nobody decides on his own request.")
        case ApproveLoss(by=by, at=at), LossRequested() as loss:
            lost = OpportunityLost(
                reason=loss.reason,
                competitor=loss.competitor,
                stage_from=state.stage,
                since=state.since,
                requested_by=loss.by,
                approved_by=by,
                lost_at=at,
            )
            return [lost]
        case RefuseLoss(by=by, reason=reason), LossRequested():
            return [LossRefused(by=by, reason=reason)]
        case _:
            raise Rejected("no-loss-request", "Nobody asked to close this opportunity as lost.")


def evolve(state: State, event: Event) -> State:
    """The state after one more event."""
    if isinstance(event, OpportunityOpened):
        return Opportunity(
            opportunity_id=event.opportunity_id,
            lead_id=event.lead_id,
            person_id=event.person_id,
            store_id=event.store_id,
            seller_id=event.seller_id,
            stage=event.stage,
            since=event.opened_at,
        )
    assert isinstance(state, Opportunity)
    match event:
        case StageEntered(stage_to=stage, entered_at=at):
            return replace(state, stage=stage, since=at)
        case FollowUpRecorded(follow_up_id=id):
            return replace(state, follow_ups=state.follow_ups | {id})
        case LossRequested():
            return replace(state, loss=event)
        case LossRefused():
            return replace(state, loss=None)
        case OpportunityLost(lost_at=at):
            return replace(state, stage=LOST, since=at, loss=None)
        case OpportunityWon(order_id=order, won_at=at):
            return replace(state, stage=WON, since=at, order_id=order, loss=None)
        case unknown:
            assert_never(unknown)


opportunity = Decider[Command, State, Event](Absent(), decide, evolve)
