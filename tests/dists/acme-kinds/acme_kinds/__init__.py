"""One component of each of some kinds."""

from glowplug import EventEnum


class AcmeEvents(EventEnum):
    """Events of the Acme company."""

    DELIVERED = "delivered"
