"""Thanos, one Pulumi component per component of Thanos."""
