"""The kinds of Kubernetes: what they are called, how they are shaped, what fills them and what may change.

Built-in kinds are data (`facts`), read through `resources` (names and paths), `definitions` (shapes) and
`typed` (decoding). What Kubernetes does in code is in `defaults`, `strategies` and `conversion`.
"""
