"""Thanos, a component per role."""
