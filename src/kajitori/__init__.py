"""kajitori: a small data centre in one Python package."""

__all__ = ["__version__"]

__version__ = "0.1.0"
"""The version of this package, not of the Kubernetes API it speaks."""
