"""Ends a run at an output that is not finite."""

from acme_nan_stop.handler import AcmeNanStop

__all__ = ["AcmeNanStop"]
