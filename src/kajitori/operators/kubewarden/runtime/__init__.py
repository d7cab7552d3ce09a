"""Runs policies: modules compiled once, an instance of its own for every request, limits on time, memory and output.

`policy` is what others use: `load_policy` gives a `Policy`, which validates settings and requests. `engine` alone knows
wasmtime, and is imported with the first policy: the library behind it takes 24 MiB.
"""
