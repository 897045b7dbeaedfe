"""What components share, by the names that Kubernetes has for it: labels, security contexts, workloads, volumes."""
