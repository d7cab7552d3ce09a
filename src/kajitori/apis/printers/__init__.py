"""What `kubectl get` shows: the columns of every kind, and the cells of its objects.

Sits between stored objects and `Accept: application/json;as=Table`; the API server asks for a `Printer` once
per kind and for a row per object.

    columns    column definitions of the built-in kinds
    cells      the cells of the built-in kinds: which function prints which kind
    pods, workloads, network, volumes, cluster
               those functions, by what they print
    custom     columns and cells of custom resources, from their `additionalPrinterColumns`
    scale      columns and cells of the scale subresource
    table      Table, PartialObjectMetadata and PartialObjectMetadataList around them

Ages are relative to a `now` that the caller passes in, in seconds since 1970.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from .cells import builtin_printer, cells
from .columns import columns
from .custom import custom_printer
from .scale import scale_printer
from .table import Printer, partial_object_metadata, partial_object_metadata_list, table, table_row

__all__ = [
    "Printer",
    "builtin_printer",
    "cells",
    "columns",
    "custom_printer",
    "partial_object_metadata",
    "partial_object_metadata_list",
    "scale_printer",
    "table",
    "table_row",
]
