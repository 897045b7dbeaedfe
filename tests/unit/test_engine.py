"""The engine that stands in for Pulumi's: what it refuses, so that no test passes with it that an update would not."""

import re

import pulumi
import pytest
from pulumi import ResourceOptions


class Component(pulumi.ComponentResource):
    def __init__(self, name: str, parent: pulumi.Resource | None = None) -> None:
        super().__init__("test:index:Component", name, {}, ResourceOptions(parent=parent))


class Custom(pulumi.CustomResource):
    def __init__(self, name: str, parent: pulumi.Resource | None = None) -> None:
        super().__init__("test:index:Custom", name, {}, ResourceOptions(parent=parent))


class TestUrns:
    @pytest.mark.parametrize("kind", [Component, Custom])
    def test_equal_ones_are_refused(self, engine, kind):
        """
        A second resource of the same type and name stops the program, whether a provider makes it or not.
        """

        def program():
            kind("one")
            kind("one")

        with pytest.raises(RuntimeError, match=f"Duplicate resource URN '.*::test:index:{kind.__name__}::one'"):
            engine.deploy(program)

    def test_parents_of_another_name_do_not_tell_children_apart(self, engine):
        """
        A URN has the types of all parents, and the name of none.
        """
        kinds = ["test:index:Component", "test:index:Component", "test:index:Custom"]

        def program():
            for name in ("one", "two"):
                Custom("child", Component(f"inside-{name}", Component(name)))

        with pytest.raises(RuntimeError, match=re.escape(f"::{'$'.join(kinds)}::child'")):
            engine.deploy(program)

    def test_a_second_reference_to_a_stack_is_refused(self, engine):
        """
        What is read only has a URN too.
        """
        engine.stacks["o/p/hub"] = {}

        def program():
            pulumi.StackReference("o/p/hub")
            pulumi.StackReference("o/p/hub")

        with pytest.raises(RuntimeError, match=r"Duplicate resource URN '.*StackReference::o/p/hub'"):
            engine.deploy(program)

    def test_another_type_name_or_depth_is_another_resource(self, engine):
        """
        Nothing else is refused.
        """

        def program():
            outer = Component("one")
            Component("two")
            Custom("one")
            inner = Component("one", outer)
            Custom("one", outer)
            Custom("one", inner)

        assert len(engine.deploy(program).registered) == 6
