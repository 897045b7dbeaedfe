"""Real processes on this machine, and on one with a systemd of its own; no cluster is needed."""
