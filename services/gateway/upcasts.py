"""The stored names of identity's events, and the upcasts of older shapes."""

from services.gateway.domain import authority, session, shift, store, user
from shared.events.registry import Registry

stored = Registry(
    "gateway",
    {
        "UserCreated": user.UserCreated,
        "UserAssigned": user.UserAssigned,
        "PasswordChanged": user.PasswordChanged,
        "PasswordReset": user.PasswordReset,
        "UserDisabled": user.UserDisabled,
        "UserEnabled": user.UserEnabled,
        "LegalEntityRegistered": store.LegalEntityRegistered,
        "StoreOpened": store.StoreOpened,
        "ShiftPlanned": shift.ShiftPlanned,
        "ShiftCancelled": shift.ShiftCancelled,
        "AuthorityGranted": authority.AuthorityGranted,
        "SessionStarted": session.SessionStarted,
        "SessionRefreshed": session.SessionRefreshed,
        "SessionEnded": session.SessionEnded,
    },
)
