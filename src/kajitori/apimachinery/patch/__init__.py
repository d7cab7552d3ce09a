"""Changing an object by a patch: JSON patch, JSON merge patch, strategic merge patch.

Everything works on plain JSON values and changes none of its inputs; results share what did not change.
"""
