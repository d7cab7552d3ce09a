"""The functions that CEL has beyond its standard ones: cel-go's extensions, and those of Kubernetes.

Sits below the environments, which choose of them by the version of Kubernetes. One module for each library; a
library that grew is a function of its version.

Source: cel-go's ext and cel.OptionalTypes; apiserver's pkg/cel/library.
"""
