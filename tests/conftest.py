"""What all tests share: the fixtures of the lab, which only those start that ask for them."""

pytest_plugins = ["tests.lab.fixtures", "tests.lab.thanos_fixtures"]
