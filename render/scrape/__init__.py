"""Scrape jobs: what is asked, how it is found, and what is kept of the answer."""
