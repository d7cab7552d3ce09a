"""How often a client may do what costs the server more than the client: so many at once, and so many a second."""

__all__ = ["Allowance"]


class Allowance:
    """Begins with `burst`, is used one at a time, and grows back."""

    __slots__ = ("_burst", "_left", "_per_second", "_since")

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = self._left = float(burst)
        self._per_second = per_second
        self._since = float("-inf")

    def take(self, now: float) -> bool:
        """Uses one; False when there is none left."""
        self._left = min(self._burst, self._left + (now - self._since) * self._per_second)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
