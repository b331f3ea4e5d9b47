"""What may enter: Great Expectations suites over landed batches."""

import importlib
import importlib.util

from winback.check.rules import Suite


def suite_for(feed: str) -> Suite:
    """Return a feed's suite from `expectations/`, or the structural rules alone where it has none."""
    name = f"expectations.{feed}"
    if importlib.util.find_spec(name) is None:
        return Suite(feed=feed)
    suite = importlib.import_module(name).SUITE
    assert isinstance(suite, Suite)
    return suite
