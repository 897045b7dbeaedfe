"""A stand-in for Google Cloud, for the lab only: Cloud Storage, identities of pods, and the metadata server."""
