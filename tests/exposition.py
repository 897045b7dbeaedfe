"""Metrics in the text format of Prometheus."""


def total(text: str, name: str) -> float:
    """Sum the series of a metric, or give that of a name with all its labels; of none it is 0."""
    lines = text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))
