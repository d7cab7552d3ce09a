"""Admission: what is done to a write, and what is refused, between authorization and the registry.

One module per plugin of kube-apiserver, under its name; `chain` puts them in kube-apiserver's order.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""
