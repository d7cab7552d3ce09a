"""The paths of the API: one module per family, each from a parsed request to an answer."""
