"""The program behind `pulumi up`: what the stack file says about the fleet, deployed."""

import atexit
import gc

# What is imported and registered stays until the program ends. To look for cycles in it took a third of the CPU
# (tests/bench program): the more often the more there is, and once more at the exit unless it is frozen.
gc.disable()
atexit.register(gc.freeze)

from settings.loading.stack import from_stack  # noqa: E402 — imported without the collector
from stacks import deploy, with_issuers  # noqa: E402

deploy(with_issuers(from_stack()))
