"""The program behind `pulumi up`: what the stack file says about the fleet, deployed."""

from settings.loading.stack import from_stack
from stacks import deploy

deploy(from_stack())
