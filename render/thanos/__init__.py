"""Configuration files and command lines of the components of Thanos."""
