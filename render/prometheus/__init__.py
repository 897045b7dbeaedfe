"""Configuration files and command lines of Prometheus, as a server and as an agent."""
