"""Policies tried before they are in force: the API server's own admission, without a server.

`stage` holds what admission looks at (namespaces, roles, definitions, parameters, policies), `sources` fill it from
a cluster, a backup or manifests, `recorded` reads requests from audit logs. `replay` judges writes twice, with and
without what is proposed; `checking` looks at policies alone, `expectations` at what teams expect of them, and
`explaining` tells all that is behind one verdict.
"""
