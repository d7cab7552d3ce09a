"""How open a cluster is: what its objects, and its audit log, say about who may do what.

Above the API server's authorizer and the client, below the command line. The judges are plain functions from an
`Inventory` (objects that were read somewhere) and what else they need to a `Section` of findings; `sources` and
`rbac.auditlog` read, and nothing else does.
"""
