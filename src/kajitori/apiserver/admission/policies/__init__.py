"""Policies in CEL: expressions that judge writes, with what they see, what they may cost, and what becomes of errors.

`expressions` runs them, `inputs` has their variables, `conditions` says whether a webhook or policy is
about a write at all, `params` finds a policy's parameters, `bound` which policies with which bindings a write is about,
`validating` is the plugin for ValidatingAdmissionPolicies.

Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""
