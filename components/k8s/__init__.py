"""What the components have in common and Kubernetes has names for: labels, security contexts, workloads, volumes, accounts."""
