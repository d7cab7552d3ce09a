"""Operators of a data centre, one folder each; they meet only through the kinds in `apis`."""
