"""CEL, the Common Expression Language, in the dialect of Kubernetes: checked against types and compiled to Python.

    text ─ lexer, parser, macros ─▶ tree ─ checker ─▶ checked ─ compiler ─▶ Program ─ evaluate ─▶ value, cost
                                                        └──── estimator ─▶ cost

Pure and independent of the rest: nothing here knows of objects, requests or policies.

Source: https://github.com/google/cel-spec and https://kubernetes.io/docs/reference/using-api/cel/
"""
