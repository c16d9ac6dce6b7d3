"""What an aggregate root can do: remember the events of its verbs until they are published."""

from domain.shared.events import DomainEvent


class Aggregate:
    """A root of a consistency boundary; its verbs guard, change and record."""

    def record(self, event: DomainEvent) -> None:
        """Remember that this happened; the unit of work writes it to the outbox at commit."""
        # Kept in the instance's dict: entities loaded from rows never ran __init__.
        self.__dict__.setdefault("_events", []).append(event)

    def pull_events(self) -> list[DomainEvent]:
        """The events recorded since the last pull, oldest first; they are forgotten here."""
        events: list[DomainEvent] = self.__dict__.pop("_events", [])
        return events
