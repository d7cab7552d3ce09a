"""The audit log, as kube-apiserver writes it: a policy says of which requests how much is kept."""
