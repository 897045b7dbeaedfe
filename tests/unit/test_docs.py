import re

import pytest
import yaml

from settings import from_file
from settings.load import KEY
from tests import ROOT

EXAMPLES = [
    pytest.param(text, id=f"{page.name}-{number}")
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for number, text in enumerate(re.findall(r"^```yaml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S))
    if KEY in text
]
EVERY_SECTION = {"alerts", "alertmanager", "grafana", "pushgateway", "probes"}


class TestExamples:
    @pytest.mark.parametrize("example", EXAMPLES)
    def test_load(self, tmp_path, stack_files, example):
        """
        Whoever copies an example has a stack file that is right, for the program and for editors.
        """
        file = tmp_path / "Pulumi.example.yaml"
        file.write_text(example, encoding="utf-8")

        assert from_file(file).clusters
        stack_files.validate(yaml.safe_load(example))

    def test_show_every_section(self):
        """
        The page on the stack file has an example of each section beside the hub.
        """
        page = (ROOT / "docs" / "stack-file.md").read_text(encoding="utf-8")
        shown = [yaml.safe_load(text)["config"][KEY] for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)]

        assert {section for fleet in shown for section in fleet} >= EVERY_SECTION
