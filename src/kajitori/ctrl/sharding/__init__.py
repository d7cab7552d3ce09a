"""Sharding: several processes run the same controllers, and each works on a part of the objects.

`ring`, `states`, `labels`, `slots` and `work` decide, without clock or client.
"""

__all__: list[str] = []
