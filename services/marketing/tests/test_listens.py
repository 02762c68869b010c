"""What marketing makes of what it hears, and what it tells."""

from services.marketing.domain.campaign import campaign
from services.marketing.domain.credit import CreditOrder, credit
from services.marketing.known import KnownStaff, Touch, staff_known, touches
from services.marketing.listens import listen
from services.marketing.publishes import publish_campaign, publish_credit
from services.marketing.tests import test_campaign, test_credit
from services.marketing.tests.hearing import CAMPAIGN, LEAD, ORDER, PRICE, STORE, SUN, VIN, captured, delivered, hear, staff, touched
from shared.bus.heard import Send
from shared.contracts import gateway
from shared.contracts import marketing as public
from shared.testing.hearing import NOON
from shared.values.money import Money
from shared.views.table import Change, Put


def test_a_lead_s_first_touch_and_later_ones_are_told_apart() -> None:
    for event, first in ((captured(), True), (touched(), False)):
        heard = hear(event)
        row = Touch(touch_id=str(heard.id), campaign_id=CAMPAIGN, lead_id=LEAD, first=first, touched_at=NOON)
        assert listen(heard) == [Put(touches, row)]


def test_a_delivered_order_is_credited() -> None:
    command = CreditOrder(order_id=ORDER, campaign_id=CAMPAIGN, vin=VIN, revenue=PRICE, at=NOON)
    assert listen(hear(delivered())) == [Send(to=f"credit-{ORDER}", command=command)]


def test_what_names_no_campaign_is_nothing_to_marketing() -> None:
    for event in (captured(None), touched(None), delivered(None)):
        assert listen(hear(event)) == []


def test_who_left_is_no_longer_of_a_campaign_s_people() -> None:
    assert listen(hear(staff)) == [Put(staff_known, KnownStaff(staff_id=SUN, store_ids=(STORE,)))]
    (gone,) = listen(hear(gateway.UserDisabled(staff_id=SUN)))
    assert isinstance(gone, Change)
    assert gone.apply(KnownStaff(staff_id=SUN, store_ids=(STORE,))) == KnownStaff(staff_id=SUN, store_ids=(STORE,), enabled=False)
    assert gone.apply(None) is None


def test_an_approval_and_a_spend_are_told_and_nothing_else() -> None:
    t = test_campaign
    history = t.after(t.plan_it, t.submit, t.approve, t.start, t.spend, t.too_much, t.allow, t.finish)
    told = [made for n, event in enumerate(history, 1) for made in publish_campaign(event, campaign.fold(history[:n]))]
    assert told == [
        public.CampaignApproved(
            campaign_id="c1",
            name=t.plan.name,
            kind="test-drive-day",
            store_id="s1",
            entity_id="e1",
            starts_on=t.plan.starts_on,
            ends_on=t.plan.ends_on,
            budget=t.plan.budget,
        ),
        public.CampaignSpent(campaign_id="c1", spend_id="p1", store_id="s1", entity_id="e1", supplier="Print Co", amount=Money(1_500_000)),
        public.CampaignSpent(campaign_id="c1", spend_id="p2", store_id="s1", entity_id="e1", supplier="Tent Co", amount=Money(600_000)),
    ]


def test_a_credit_is_told_with_its_model() -> None:
    event = test_credit.credited
    assert publish_credit(event, credit.fold([event])) == [
        public.CampaignCredited(campaign_id="c1", order_id="o1", vin=event.vin, model="first-touch", revenue=event.revenue)
    ]
