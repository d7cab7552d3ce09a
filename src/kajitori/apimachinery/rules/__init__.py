"""`x-kubernetes-validations`: the CEL rules of custom resources' schemas.

    schema ─ RuleCompiler ─▶ CompiledRule ─┬─▶ what a definition is refused for   (apis/apiextensions_v1)
                                           └─ SchemaRules ─▶ what an object is refused for

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
"""

from kajitori.apimachinery.rules.compiling import CompiledRule, RuleCompiler
from kajitori.apimachinery.rules.running import SchemaRules

__all__ = ["CompiledRule", "RuleCompiler", "SchemaRules"]
