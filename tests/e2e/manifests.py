"""Manifests that several tests apply."""

__all__ = ["DEPLOYMENT", "STATEFULSET", "configmap", "custom_resource_definition"]

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
  labels:
    app: app
spec:
  replicas: 2
  selector:
    matchLabels:
      app: app
  template:
    metadata:
      labels:
        app: app
    spec:
      containers:
      - name: web
        image: nginx:1
        ports:
        - containerPort: 80
"""

STATEFULSET = """\
apiVersion: v1
kind: Service
metadata:
  name: db
spec:
  clusterIP: None
  selector:
    app: db
  ports:
  - port: 80
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
spec:
  serviceName: db
  replicas: 2
  podManagementPolicy: Parallel
  selector:
    matchLabels:
      app: db
  template:
    metadata:
      labels:
        app: db
    spec:
      containers:
      - name: db
        image: db:1
"""


def configmap(name: str, **data: str) -> str:
    """A ConfigMap with the data."""
    lines = "".join(f"  {key}: {value!r}\n" for key, value in data.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n{lines or '  {}'}"


def custom_resource_definition(group: str) -> str:
    """Ships, with a scale, a status, a column, a default and a rule about their length."""
    return f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ships.{group}
spec:
  group: {group}
  scope: Namespaced
  names: {{plural: ships, singular: ship, kind: Ship, shortNames: [sh], categories: [all]}}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {{}}
      scale: {{specReplicasPath: .spec.crew, statusReplicasPath: .status.aboard}}
    additionalPrinterColumns:
    - {{name: Length, type: integer, jsonPath: .spec.length}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What the ship should be.
            required: [length]
            properties:
              length: {{type: integer, minimum: 1, description: From bow to stern.}}
              crew: {{type: integer, default: 3}}
          status:
            type: object
            properties:
              aboard: {{type: integer}}
"""
