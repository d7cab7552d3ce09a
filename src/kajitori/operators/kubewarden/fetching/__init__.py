"""Gets the modules of policies: from files, by HTTP, from registries; each content is kept once.

`modules` is what others use; `sources` says which hosts are trusted and how, `http` asks them, `registry` speaks the
distribution API.
"""
