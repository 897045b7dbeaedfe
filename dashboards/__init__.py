"""Grafana dashboards, built from the same metrics that the rules use."""
