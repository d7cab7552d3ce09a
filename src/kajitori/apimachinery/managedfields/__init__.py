"""Which manager owns which field: field sets, typed comparison and merging, managedFields, server-side apply.

Everything works on plain JSON values and a `Schema` tree; inputs are never changed, results share with them.
`managed.FieldManager` is what an API server uses; the modules below it are its parts:

    elements   path elements and their texts        sets       field sets and their algebra
    types      how values of a schema merge         collect    the fields of a value
    compare    what changed between two values      merging    a configuration merged into an object
    removing   fields taken out of an object        checking   does a value fit its type
    reconcile  sets after a change of the schema    entries    managedFields to sets and back
    applying   server-side apply                    scale      ownership seen through the scale subresource
    upgrading  from client-side to server-side apply

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/, structured-merge-diff, and
apimachinery's util/managedfields.
"""
