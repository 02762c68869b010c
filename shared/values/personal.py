"""The marker of personal fields: `Annotated[str, Personal]` is stored, sent and shown inside as a token, never in clear."""


class Personal:
    """Marks a field whose value is a token of the vault (see shared.events.privacy)."""


TOKEN_PREFIX = "~p1."  # noqa: S105


def is_token(value: str) -> bool:
    """True for a sealed value; the empty string counts as sealed (nothing to hide)."""
    return value == "" or value.startswith(TOKEN_PREFIX)
