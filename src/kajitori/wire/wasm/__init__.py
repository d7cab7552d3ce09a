"""What WebAssembly guests and their host say to each other: the parts of a module, and the protocols of policies.

`module` reads a module's bytes; `wapc`, `wasi` and `opa` are the host's side of a protocol each, over a guest's memory
and functions. Nothing here runs a guest: whoever does gives these the calls that it makes.
"""
