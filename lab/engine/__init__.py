"""The engine's parts that aren't published as binaries: a Kubernetes provider's main and a language host."""
