"""What of quotes, orders and their fulfilment the other contexts get to know."""

from services.orders.domain import order as o
from services.orders.domain import order_messages as m
from services.orders.domain import quote as q
from services.orders.processes import fulfilment as f
from shared.contracts import orders as public


def publish_quote(event: q.Event, state: q.State) -> list[object]:
    """Every revision is public; what the customer says to it is not."""
    match event, state:
        case ((q.QuoteIssued() | q.QuoteRevised()), q.Quote(issued=issued, revision=revision, reckoning=reckoning)):
            quote_issued = public.QuoteIssued(
                quote_id=issued.quote_id,
                number=issued.number,
                revision=revision,
                opportunity_id=issued.opportunity_id,
                customer_id=issued.customer_id,
                store_id=issued.store_id,
                seller_id=issued.seller_id,
                trim_id=state.offer.trim_id,
                price=reckoning.car,
            )
            return [quote_issued]
        case _:
            return []


def publish_order(event: o.Event, state: o.State) -> list[object]:
    """The decisions about an order; what other contexts reported to it they know themselves."""
    match event, state:
        case m.OrderPlaced(sale=sale, terms=terms), _:
            return [placed(sale, terms)]
        case m.OrderApproved(by=by, vin=vin), o.Order(sale=sale):
            approved = public.OrderApproved(
                order_id=sale.order_id,
                number=sale.number,
                store_id=sale.store_id,
                vin=vin,
                seller_id=sale.seller_id,
                approver_id=by,
                opportunity_id=sale.opportunity_id,
            )
            return [approved]
        case m.ContractSigned(price=price, earnest=earnest, sha256=sha256), o.Order(sale=sale, terms=m.Terms(vin=str(vin))):
            signed = public.ContractSigned(
                order_id=sale.order_id,
                number=sale.number,
                customer_id=sale.customer_id,
                vin=vin,
                price=price,
                earnest_agreed=earnest,
                sha256=sha256,
            )
            return [signed]
        case m.OrderChanged(new=terms), o.Order(sale=sale):
            return [public.OrderChanged(order_id=sale.order_id, number=sale.number, price=terms.price, vin=terms.vin)]
        case m.OrderCancelled(reason=reason, forfeit=forfeit), o.Order(sale=sale, terms=terms):
            cancelled = public.OrderCancelled(
                order_id=sale.order_id,
                number=sale.number,
                vin=terms.vin,
                customer_id=sale.customer_id,
                opportunity_id=sale.opportunity_id,
                reason=reason,
                forfeit=forfeit,
            )
            return [cancelled]
        case m.OrderDelivered(), o.Order(sale=sale, terms=terms):
            return [delivered(event, sale, terms)]
        case _:
            return []


def placed(sale: m.Sale, terms: m.Terms) -> public.OrderPlaced:
    """An order as it is first known."""
    return public.OrderPlaced(
        order_id=sale.order_id,
        number=sale.number,
        store_id=sale.store_id,
        entity_id=sale.entity_id,
        customer_id=sale.customer_id,
        opportunity_id=sale.opportunity_id,
        campaign_id=sale.campaign_id,
        channel=sale.channel,
        seller_id=sale.seller_id,
        trim_id=terms.trim_id,
        vin=terms.vin,
        price=terms.price,
        vat_permille=sale.vat_permille,
    )


def delivered(event: m.OrderDelivered, sale: m.Sale, terms: m.Terms) -> public.OrderDelivered:
    """A sale done, with all that finance, after-sales, marketing and reports need of it."""
    return public.OrderDelivered(
        order_id=sale.order_id,
        number=sale.number,
        store_id=sale.store_id,
        entity_id=sale.entity_id,
        vin=event.vin,
        stay_id=event.stay_id,
        trim_id=terms.trim_id,
        customer_id=sale.customer_id,
        seller_id=sale.seller_id,
        opportunity_id=sale.opportunity_id,
        campaign_id=sale.campaign_id,
        channel=sale.channel,
        price=terms.price,
    )


def publish_fulfilment(event: f.Event, state: f.Fulfilment) -> list[object]:
    """What is asked of inventory."""
    match event:
        case f.VehicleRequested(request_id=request_id, order_id=order_id, vin=vin, store_id=store_id, seller_id=seller):
            return [public.VehicleRequested(request_id=request_id, order_id=order_id, vin=vin, store_id=store_id, seller_id=seller)]
        case f.VehicleReleaseRequested(request_id=request_id, order_id=order_id, vin=vin, reason=reason):
            return [public.VehicleReleaseRequested(request_id=request_id, order_id=order_id, vin=vin, reason=reason)]
        case _:
            return []
