"""The generic registry: what every resource does between an admitted request and the store, and back.

Nothing in here knows HTTP; the endpoints call it, and so may anything else in the process.
"""
