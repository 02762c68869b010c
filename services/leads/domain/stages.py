"""The stages of an opportunity and the moves between them: data with a version, a group may bring its own."""

from shared.decider import Rejected, message


@message
class Stage:
    """`next` are the stages a seller may move to from here; `ends` marks stages that close the opportunity."""

    name: str
    next: tuple[str, ...] = ()
    ends: bool = False


@message
class Stages:
    """The first stage is where an opportunity opens. Won, lost and care have their own ways in, never a plain move."""

    version: int
    stages: tuple[Stage, ...]

    def named(self, name: str) -> Stage | None:
        """The stage of that name."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def check(self, origin: str, target: str) -> None:
        """Rejected with the reason when a seller may not move from `origin` to `target`."""
        stage = self.named(origin)
        if self.named(target) is None:
            raise Rejected("unknown-stage", f"There is no stage {target}.")
        if stage is None or target not in stage.next:
            allowed = ", ".join(stage.next) if stage and stage.next else "nowhere"
            raise Rejected("illegal-transition", f"From {origin} an opportunity moves to {allowed}, not to {target}.")


FIRST, WON, LOST, CARE = "first-contact", "won", "lost", "after-sales-care"

STANDARD = Stages(
    version=1,
    stages=(
        Stage(name=FIRST, next=("needs", "presentation", "test-drive", "quote")),
        Stage(name="needs", next=("presentation", "test-drive", "quote")),
        Stage(name="presentation", next=("needs", "test-drive", "quote")),
        Stage(name="test-drive", next=("presentation", "quote", "negotiation")),
        Stage(name="quote", next=("presentation", "test-drive", "negotiation")),
        Stage(name="negotiation", next=("test-drive", "quote")),
        Stage(name=WON, next=(CARE,), ends=True),
        Stage(name=LOST, ends=True),
        Stage(name=CARE, ends=True),
    ),
)
