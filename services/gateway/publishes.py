"""What the other contexts learn of identity: never a password, never a session."""

from services.gateway.domain import authority, shift, store, user
from shared.contracts import gateway as public


def publish_user(event: user.Event, state: user.User) -> list[object]:
    """A user's assignment, whole, whenever it changes."""
    match event:
        case user.UserCreated() | user.UserAssigned() | user.UserEnabled():
            return [
                public.StaffAssigned(
                    staff_id=state.staff_id,
                    username=state.username,
                    name=state.name,
                    roles=state.roles,
                    store_ids=state.store_ids,
                    brands=state.brands,
                    capacity=state.capacity,
                )
            ]
        case user.UserDisabled():
            return [public.UserDisabled(staff_id=state.staff_id)]
        case _:
            return []


def publish_entity(event: store.LegalEntityRegistered, state: store.State) -> list[object]:
    """A legal entity."""
    return [
        public.LegalEntityRegistered(
            entity_id=event.entity_id,
            name=event.name,
            tax_number=event.tax_number,
            currency=event.currency,
            vat_permille=event.vat_permille,
        )
    ]


def publish_store(event: store.StoreOpened, state: store.State) -> list[object]:
    """A store and its hours."""
    return [
        public.StoreOpened(
            store_id=event.store_id,
            code=event.code,
            name=event.name,
            entity_id=event.entity_id,
            region=event.region,
            timezone=event.timezone,
            opens=event.opens,
            closes=event.closes,
        )
    ]


def publish_shift(event: shift.Event, state: shift.State) -> list[object]:
    """A shift planned or cancelled."""
    match event:
        case shift.ShiftPlanned():
            return [
                public.ShiftPlanned(
                    shift_id=event.shift_id,
                    staff_id=event.staff_id,
                    store_id=event.store_id,
                    starts_at=event.starts_at,
                    ends_at=event.ends_at,
                )
            ]
        case shift.ShiftCancelled():
            return [public.ShiftCancelled(shift_id=event.shift_id, staff_id=event.staff_id)]


def publish_authority(event: authority.AuthorityGranted, state: authority.Authority) -> list[object]:
    """What a role may approve."""
    return [public.AuthorityGranted(role=event.role, series=event.series, discount_permille=event.discount_permille)]
