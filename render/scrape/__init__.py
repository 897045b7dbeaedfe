"""Scrape jobs: how targets are discovered and scraped, and which of their series are kept."""
