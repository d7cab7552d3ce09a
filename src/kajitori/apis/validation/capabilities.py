"""What a whole server allows, said once when it starts.

Source: pkg/capabilities, set from the flag `--allow-privileged`.
"""

__all__ = ["CAPABILITIES", "Capabilities"]


class Capabilities:
    """Mutable on purpose: validation is a function of the object, and this is a property of the server."""

    allow_privileged = False
    """Whether containers may be privileged; Kubernetes' own default is no."""

    reserves_static_names = False
    """Whether names of webhooks and policies that lie in files are refused in the API; else it warns of them."""


CAPABILITIES = Capabilities()
