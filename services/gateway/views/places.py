"""Legal entities, stores, shifts, authorities and sessions, one row each."""

from datetime import datetime

from services.gateway.domain import authority, session, shift, store
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table


@message
class EntityRow:
    entity_id: str
    name: str
    tax_number: str
    currency: str
    vat_permille: int


@message
class StoreRow:
    store_id: str
    code: str
    name: str
    entity_id: str
    region: str
    timezone: str
    opens: str
    closes: str


@message
class ShiftRow:
    shift_id: str
    staff_id: str
    store_id: str
    starts_at: datetime
    ends_at: datetime
    cancelled: bool
    version: int


@message
class AuthorityRow:
    role: str
    series: str
    discount_permille: int
    version: int


@message
class SessionRow:
    session_id: str
    staff_id: str
    device: str
    started_at: datetime
    used_at: datetime
    expires_at: datetime
    ended: str | None


def entity_row(row: EntityRow | None, recorded: Recorded[store.LegalEntityRegistered]) -> EntityRow:
    """A legal entity."""
    e = recorded.event
    return EntityRow(entity_id=e.entity_id, name=e.name, tax_number=e.tax_number, currency=e.currency, vat_permille=e.vat_permille)


def store_row(row: StoreRow | None, recorded: Recorded[store.StoreOpened]) -> StoreRow:
    """A store."""
    e = recorded.event
    return StoreRow(
        store_id=e.store_id,
        code=e.code,
        name=e.name,
        entity_id=e.entity_id,
        region=e.region,
        timezone=e.timezone,
        opens=e.opens,
        closes=e.closes,
    )


def shift_row(row: ShiftRow | None, recorded: Recorded[shift.Event]) -> ShiftRow | None:
    """A shift, kept when cancelled."""
    match recorded.event:
        case shift.ShiftPlanned() as e:
            return ShiftRow(
                shift_id=e.shift_id,
                staff_id=e.staff_id,
                store_id=e.store_id,
                starts_at=e.starts_at,
                ends_at=e.ends_at,
                cancelled=False,
                version=recorded.version,
            )
        case shift.ShiftCancelled() if row:
            return replace(row, cancelled=True, version=recorded.version)
    return row


def authority_row(row: AuthorityRow | None, recorded: Recorded[authority.AuthorityGranted]) -> AuthorityRow:
    """The authority of a role for a series, as last granted."""
    e = recorded.event
    return AuthorityRow(role=e.role, series=e.series, discount_permille=e.discount_permille, version=recorded.version)


def session_row(row: SessionRow | None, recorded: Recorded[session.Event]) -> SessionRow | None:
    """A session and when it was last used."""
    at = recorded.occurred_at
    match recorded.event:
        case session.SessionStarted() as e:
            return SessionRow(
                session_id=e.session_id,
                staff_id=e.staff_id,
                device=e.device,
                started_at=at,
                used_at=at,
                expires_at=e.expires_at,
                ended=None,
            )
        case session.SessionRefreshed() if row:
            return replace(row, used_at=at)
        case session.SessionEnded(reason=reason) if row:
            return replace(row, ended=reason)
    return row


entities = Table("entities", 1, EntityRow, key=("entity_id",), store=None)
stores = Table("stores", 1, StoreRow, key=("store_id",), store=None, indexes=("code",))
shifts = Table("shifts", 1, ShiftRow, key=("shift_id",), indexes=("store_id, starts_at", "staff_id, starts_at"))
authorities = Table("authorities", 1, AuthorityRow, key=("role", "series"), store=None)
sessions = Table("sessions", 1, SessionRow, key=("session_id",), store=None, indexes=("staff_id, started_at",))

entity_list = Fold(entities, entity_row)
store_list = Fold(stores, store_row)
shift_list = Fold(shifts, shift_row)
authority_list = Fold(authorities, authority_row)
session_list = Fold(sessions, session_row)
