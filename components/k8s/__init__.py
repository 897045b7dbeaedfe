"""Builders of Kubernetes objects that components share: labels, security contexts, workloads, volumes."""
