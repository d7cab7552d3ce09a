"""What a test needs, ours or a user's: virtual time."""

from kajitori.testing.virtual_time import Deadlock, VirtualClock, VirtualTimeLoop, run_virtual

__all__ = ["Deadlock", "VirtualClock", "VirtualTimeLoop", "run_virtual"]
