"""The garbage collector: objects whose owners are gone go too, in the background or before their owner.

`graph` knows who owns whom, `decide` says what to do with one object, `watching` follows every kind there is and
tells the graph, `collector` does what is decided.

Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/
"""

from kajitori.controllers.garbage.collector import GarbageCollector, setup

__all__ = ["GarbageCollector", "setup"]
