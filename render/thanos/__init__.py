"""Configuration files and command lines of Thanos' roles."""
