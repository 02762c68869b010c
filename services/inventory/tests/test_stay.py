"""What a car in stock allows: who may have it, what it cost, where it is, and when its stay ends."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.inventory.domain.between import (
    ConfirmDispatch,
    MarkArrived,
    MarkDispatched,
    NoteCar,
    NoteReceipt,
    RefuseDispatch,
)
from services.inventory.domain.car import (
    AddCost,
    AnswerRequest,
    CarArrived,
    CarDispatched,
    Category,
    CertificateRedeemed,
    CostAdded,
    DispatchRefused,
    ExpireReservation,
    QueueLeft,
    RedeemCertificate,
    ReleaseReservation,
    ReservationExpired,
    ReservationExtended,
    ReservationQueued,
    ReservationRefused,
    Reserve,
    SaleAwaited,
    SaleRefused,
    Sell,
    VehicleReleased,
    VehicleReserved,
    VehicleSold,
    WithdrawRequest,
)
from services.inventory.domain.stay import stay
from services.inventory.tests.cars import GERMAN_VIN, STAY, VIN, WRONG_VIN, cost, noon, receive, received
from shared.decider import Release, Schedule, Take, Unschedule
from shared.testing.specs import spec
from shared.values.money import Money
from shared.values.vin import check_digit_ok

given = spec(stay)
day = timedelta(days=1)

reserve = Reserve(request_id="r1", by="li", at=noon)
reserved = VehicleReserved(
    stay_id=STAY,
    vin=VIN,
    trim_id="trim-1",
    store_id="north",
    request_id="r1",
    order_id=None,
    by="li",
    earnest=False,
    until=noon + day,
    at=noon,
)
ask = AnswerRequest(request_id="q1", order_id="o1", vin=VIN, by="zhou", earnest=False, at=noon)
promised = replace(reserved, request_id="q1", order_id="o1", by="zhou")
released = VehicleReleased(
    stay_id=STAY, trim_id="trim-1", store_id="north", request_id="r1", order_id=None, reason="released", free=True, at=noon
)
queued = ReservationQueued(request_id="r2", order_id=None, by="wang", place=1)
expired = ReservationExpired(stay_id=STAY, trim_id="trim-1", store_id="north", request_id="r1", order_id=None, free=True, at=noon + day)
dispatch = MarkDispatched(transfer_id="t1", from_store="north", to_store="south", to_entity="entity-1", at=noon)
dispatched = CarDispatched(
    stay_id=STAY,
    trim_id="trim-1",
    transfer_id="t1",
    from_store="north",
    to_store="south",
    from_entity="entity-1",
    to_entity="entity-1",
    order_id=None,
    at=noon,
)
arrive = MarkArrived(transfer_id="t1", carrier="Sanhe", transport=Money(50_000), at=noon)
arrived = CarArrived(
    stay_id=STAY,
    trim_id="trim-1",
    transfer_id="t1",
    from_store="north",
    to_store="south",
    from_entity="entity-1",
    to_entity="entity-1",
    carrier="Sanhe",
    transport=Money(50_000),
    book_cost=Money(14_950_000),
    order_id=None,
    free=True,
    at=noon,
)
denied = ReservationRefused(
    request_id="q1", order_id="o1", vin=VIN, problem="vin-already-reserved", reason="Somebody else has reserved this car."
)
stuck = DispatchRefused(transfer_id="t1", reason="The car has been sold.", at=noon)
sell = Sell(order_id="o1", at=noon)
sold = VehicleSold(stay_id=STAY, vin=VIN, trim_id="trim-1", store_id="north", order_id="o1", request_id=None, at=noon)
unsold = SaleRefused(
    stay_id=STAY, vin=VIN, store_id="north", order_id="o2", problem="vehicle-not-available", reason="This car has been sold."
)
freight = AddCost(cost_id="c1", kind="freight", supplier="Sanhe", amount=Money(40_000), at=noon)
freight_added = CostAdded(cost_id="c1", kind="freight", supplier="Sanhe", amount=Money(40_000), book_cost=Money(14_940_000), late=False)


def count(available: bool, store: str = "north") -> Schedule:
    note = NoteCar(store_id=store, trim_id="trim-1", stay_id=STAY, available=available, at=noon)
    return Schedule(key=f"count/{store}", command=note, to=f"level-{store}.trim-1")


def hold_ends(request_id: str, after: timedelta) -> Schedule:
    at = noon + after
    return Schedule(key=f"hold/{request_id}", command=ExpireReservation(request_id=request_id, at=at), at=at)


class TestReceipt:
    def test_a_car_comes_in_at_its_landed_cost(self) -> None:
        given().when(receive).then(received).timers(count(True))

    def test_the_book_cost_is_purchase_less_rebate_plus_freight_and_preparation(self) -> None:
        assert cost.book_cost == Money(15_000_000 - 300_000 + 120_000 + 80_000)

    def test_a_vin_is_claimed_while_its_stay_is_open(self) -> None:
        reason = "A car with this VIN is in stock."
        given().when(receive).claims(Take(kind="open-stay", key=VIN, problem="vin-in-stock", reason=reason))
        given(received).when(sell).claims(Release(kind="open-stay"))

    def test_the_purchase_order_hears_of_its_receipt(self) -> None:
        note = NoteReceipt(stay_id=STAY, vin=VIN, trim_id="trim-1", purchase=Money(15_000_000), at=noon)
        told = Schedule(key="receipt", command=note, to="purchase-p1")
        given().when(replace(receive, purchase_order_id="p1")).timers(told, count(True))

    def test_a_new_car_of_a_mandating_market_needs_a_check_digit_that_fits(self) -> None:
        assert check_digit_ok(VIN) and not check_digit_ok(WRONG_VIN)
        given().when(replace(receive, vin=WRONG_VIN, confirmed_by="zhao")).rejected("vin-check-digit")

    @pytest.mark.parametrize(("vin", "category"), [(WRONG_VIN, "used"), (GERMAN_VIN, "new"), (GERMAN_VIN, "used")])
    def test_elsewhere_a_manager_confirms_a_check_digit_that_does_not_fit(self, vin: str, category: Category) -> None:
        command = replace(receive, vin=vin, category=category)
        given().when(command).rejected("vin-unconfirmed")
        fact = replace(received, vin=vin, category=category, check_digit_fits=False, confirmed_by="zhao")
        given().when(replace(command, confirmed_by="zhao")).then(fact)

    def test_a_confirmation_nobody_needed_is_not_kept(self) -> None:
        given().when(replace(receive, confirmed_by="zhao")).then(received)

    def test_the_amounts_of_a_car_are_of_one_currency_and_not_below_zero(self) -> None:
        given().when(replace(receive, input_vat=Money(1, "USD"))).rejected("currency-differs")
        given().when(replace(receive, cost=replace(cost, rebate=Money(20_000_000)))).rejected("cost-invalid")
        given().when(replace(receive, cost=replace(cost, freight=Money(-1)))).rejected("cost-invalid")

    def test_a_stay_begins_once(self) -> None:
        given(received).when(receive).rejected("illegal-transition")
        given(received, sold).when(receive).rejected("vehicle-not-available")

    def test_nothing_is_asked_of_a_car_that_is_not_there(self) -> None:
        given().when(reserve).rejected("illegal-transition")


class TestReservation:
    def test_a_car_is_held_for_a_day(self) -> None:
        given(received).when(reserve).then(reserved).timers(hold_ends("r1", day), count(False))

    def test_asking_twice_changes_nothing(self) -> None:
        given(received, reserved).when(reserve).then_nothing()
        given(received, reserved, queued).when(Reserve(request_id="r2", by="wang", at=noon, queue=True)).then_nothing()

    def test_a_car_has_one_holder(self) -> None:
        given(received, reserved).when(replace(reserve, request_id="r2", by="wang")).rejected("vin-already-reserved")

    def test_who_wants_may_wait_behind_the_holder(self) -> None:
        given(received, reserved).when(Reserve(request_id="r2", by="wang", queue=True, at=noon)).then(queued)

    def test_an_order_is_answered_with_a_fact_either_way(self) -> None:
        given(received).when(ask).then(promised)
        given(received, reserved).when(ask).then(denied)
        given(received, sold).when(replace(ask, order_id="o2")).then(
            replace(denied, order_id="o2", problem="vehicle-not-available", reason="This car has been sold.")
        )
        given(received, promised).when(ask).then_nothing()

    def test_the_sellers_own_hold_becomes_his_orders(self) -> None:
        mine = replace(promised, by="li", instead_of="r1")
        given(received, reserved).when(replace(ask, by="li")).then(mine).timers(
            Unschedule(key="hold/r1"), hold_ends("q1", day), count(False)
        )

    def test_earnest_money_makes_the_hold_seven_days(self) -> None:
        paid = replace(ask, earnest=True)
        extended = ReservationExtended(request_id="q1", until=noon + 7 * day)
        given(received, promised).when(paid).then(extended).timers(hold_ends("q1", 7 * day))
        given(received, promised, extended).when(paid).then_nothing()
        given(received).when(paid).then(replace(promised, earnest=True, until=noon + 7 * day))

    def test_a_hold_ends_by_itself(self) -> None:
        end = ExpireReservation(request_id="r1", at=noon + day)
        free = replace(count(True), command=NoteCar(store_id="north", trim_id="trim-1", stay_id=STAY, available=True, at=noon + day))
        given(received, reserved).when(end).then(expired).timers(Unschedule(key="hold/r1"), free)
        given(received, reserved, expired).when(end).then_nothing()
        given(received, reserved).when(replace(end, at=noon)).then_nothing()
        given(received, replace(reserved, request_id="r9")).when(end).then_nothing()

    def test_the_first_in_the_queue_is_next(self) -> None:
        next_hold = replace(reserved, request_id="r2", by="wang")
        given(received, reserved, queued).when(ReleaseReservation(request_id="r1", by="li", at=noon)).then(
            replace(released, free=False), next_hold
        )
        late = replace(next_hold, until=noon + 2 * day, at=noon + day)
        given(received, reserved, queued).when(ExpireReservation(request_id="r1", at=noon + day)).then(replace(expired, free=False), late)

    def test_who_waits_may_leave(self) -> None:
        given(received, reserved, queued).when(ReleaseReservation(request_id="r2", by="wang", at=noon)).then(QueueLeft(request_id="r2"))

    def test_only_the_holder_or_a_manager_lets_go(self) -> None:
        release = ReleaseReservation(request_id="r1", by="wang", at=noon)
        given(received, reserved).when(release).rejected("not-yours")
        given(received, reserved).when(replace(release, manager=True)).then(released)
        given(received, reserved, released).when(replace(release, by="li")).then_nothing()

    def test_an_order_keeps_its_car_until_it_lets_go_itself(self) -> None:
        manager = ReleaseReservation(request_id="q1", by="zhao", manager=True, at=noon)
        given(received, promised).when(manager).rejected("held-by-order")
        gone = replace(released, request_id="q1", order_id="o1", reason="cancelled")
        withdraw = WithdrawRequest(request_id="q1", reason="cancelled", at=noon)
        given(received, promised).when(withdraw).then(gone).timers(Unschedule(key="hold/q1"), count(True))
        given(received).when(withdraw).then_nothing()


class TestCosts:
    def test_a_cost_raises_the_book_cost_and_a_rebate_lowers_it(self) -> None:
        given(received).when(freight).then(freight_added)
        rebate = replace(freight, kind="rebate", amount=Money(-10_000))
        given(received).when(rebate).then(replace(freight_added, kind="rebate", amount=Money(-10_000), book_cost=Money(14_890_000)))

    def test_a_cost_is_entered_once(self) -> None:
        given(received, freight_added).when(freight).then_nothing()

    def test_a_late_cost_leaves_the_book_cost_of_the_deal(self) -> None:
        given(received, sold).when(freight).then(replace(freight_added, book_cost=Money(14_900_000), late=True))
        given(received, freight_added, sold).when(freight).then_nothing()

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ({"amount": Money(0)}, "cost-invalid"),
            ({"amount": Money(-1)}, "cost-invalid"),
            ({"kind": "rebate"}, "cost-invalid"),
            ({"kind": "rebate", "amount": Money(-99_000_000)}, "cost-invalid"),
            ({"amount": Money(1, "USD")}, "currency-differs"),
        ],
    )
    def test_amounts_have_their_sign_and_currency(self, change: dict[str, object], problem: str) -> None:
        given(received).when(replace(freight, **change)).rejected(problem)  # type: ignore[arg-type]

    def test_costs_wait_while_the_car_travels(self) -> None:
        given(received, dispatched).when(freight).rejected("vehicle-in-transit")


class TestCertificate:
    def test_a_pledged_certificate_is_redeemed(self) -> None:
        redeem = RedeemCertificate(by="chen", at=noon)
        given(replace(received, certificate="pledged")).when(redeem).then(CertificateRedeemed(by="chen"))
        given(replace(received, certificate="pledged"), CertificateRedeemed(by="chen")).when(redeem).then_nothing()
        given(received).when(redeem).then_nothing()
        given(replace(received, certificate="none")).when(redeem).rejected("certificate-missing")


class TestTransfer:
    def test_the_car_leaves_and_its_transfer_hears(self) -> None:
        confirm = Schedule(key="transfer/t1", command=ConfirmDispatch(at=noon), to="transfer-t1")
        given(received).when(dispatch).then(dispatched).timers(confirm, count(False))
        given(received, dispatched).when(dispatch).then_nothing()

    def test_the_car_arrives_with_the_transport_in_its_book_cost(self) -> None:
        given(received, dispatched).when(arrive).then(arrived).timers(count(True, "south"))
        given(received, dispatched, arrived).when(arrive).then_nothing()

    def test_the_reservation_travels_along(self) -> None:
        given(received, promised).when(dispatch).then(replace(dispatched, order_id="o1"))
        given(received, promised, replace(dispatched, order_id="o1")).when(arrive).then(
            replace(arrived, order_id="o1", free=False)
        ).timers()

    def test_a_car_let_go_on_the_road_is_free_when_it_arrives(self) -> None:
        release = ReleaseReservation(request_id="r1", by="li", at=noon)
        on_the_road = replace(released, free=False)
        given(received, reserved, dispatched).when(release).then(on_the_road).timers(Unschedule(key="hold/r1"))
        given(received, reserved, dispatched, on_the_road).when(arrive).then(arrived)

    @pytest.mark.parametrize(
        ("history", "reason"),
        [
            ([received, sold], "The car has been sold."),
            ([received, replace(dispatched, transfer_id="t0")], "The car is not at the donor store."),
            ([replace(received, store_id="west")], "The car is not at the donor store."),
        ],
    )
    def test_a_car_that_cannot_leave_says_so(self, history: list[object], reason: str) -> None:
        told = Schedule(key="transfer/t1", command=RefuseDispatch(reason=reason, at=noon), to="transfer-t1")
        given(*history).when(dispatch).then(DispatchRefused(transfer_id="t1", reason=reason, at=noon)).timers(told)


class TestSale:
    def test_handing_over_ends_the_stay(self) -> None:
        given(received).when(sell).then(sold).timers(count(False))
        given(received, promised).when(sell).then(replace(sold, request_id="q1")).timers(Unschedule(key="hold/q1"), count(False))

    def test_a_car_is_sold_once_per_stay(self) -> None:
        given(received, sold).when(sell).then_nothing()
        given(received, sold).when(replace(sell, order_id="o2")).rejected("vehicle-not-available")
        given(received, sold).when(reserve).rejected("vehicle-not-available")

    def test_a_car_held_for_somebody_else_is_not_sold(self) -> None:
        given(received, reserved).when(sell).rejected("vin-already-reserved")

    def test_who_waited_hears_that_it_is_gone(self) -> None:
        no = ReservationRefused(request_id="r2", order_id=None, vin=VIN, problem="vehicle-not-available", reason="This car has been sold.")
        given(received, promised, queued).when(sell).then(replace(sold, request_id="q1"), no)

    def test_a_car_handed_over_on_the_road_is_sold_at_arrival(self) -> None:
        awaited = SaleAwaited(order_id="o1")
        given(received, dispatched).when(sell).then(awaited)
        given(received, dispatched, awaited).when(sell).then_nothing()
        given(received, dispatched, awaited).when(replace(sell, order_id="o2")).rejected("vehicle-not-available")
        given(received, dispatched, awaited).when(reserve).rejected("vehicle-not-available")
        given(received, dispatched, awaited).when(arrive).then(replace(arrived, free=False), replace(sold, store_id="south"))
