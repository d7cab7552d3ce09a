"""Structural schemas: what a CustomResourceDefinition says about its objects, compiled to closures.

`StructuralSchema(raw)` offers pruning, defaulting, coercion of metadata and validation; each is built when
first used. Pure: no I/O, no clock.

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from kajitori.apimachinery.structural.compiled import RuleChecker, StructuralSchema, has_rules
from kajitori.apimachinery.structural.metadata import Coerced

__all__ = ["Coerced", "RuleChecker", "StructuralSchema", "has_rules"]
