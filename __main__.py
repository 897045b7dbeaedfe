"""The program behind `pulumi up`: what the stack file says about the fleet, deployed."""

import gc

# What is imported and registered stays until the program ends. To look for cycles in it, the more often the more there
# is, took a quarter of the CPU, a third of that for imports, and freed a twentieth of the memory (tests/bench program).
gc.disable()

from settings.loading.stack import from_stack  # noqa: E402 — imported without the collector
from stacks import deploy  # noqa: E402

deploy(from_stack())
