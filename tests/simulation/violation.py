"""The one thing that a run may raise."""


class Violation(Exception):
    """An invariant does not hold."""
