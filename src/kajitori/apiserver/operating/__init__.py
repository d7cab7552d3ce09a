"""Operating the server: what is measured, written down and limited while it serves.

Beside the handler chain, which meets it in one place, the `Observer`. Nothing here decides what a request may do or
what its answer is; it says how many may be under way, for how long, and who learns of it.
"""
