"""The program behind `pulumi up`: what the stack file says about the fleet, deployed."""

import gc

from settings.loading.stack import from_stack
from stacks import deploy, with_issuers

# What is registered stays until the program ends. To look for cycles in it, the more often the more there is, took a
# fifth of the CPU for three clusters and a quarter for 64, and freed a twentieth of the memory (tests/bench program).
gc.disable()
deploy(with_issuers(from_stack()))
