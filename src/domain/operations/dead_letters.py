"""What was given up: events that a handler failed on too often."""

from domain.shared.errors import NotFound


class DeadLetterNotFound(NotFound):
    """Nothing of this event was given up, or it is due again already."""

    code = "dead_letter_not_found"
