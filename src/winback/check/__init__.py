"""What may enter: Great Expectations suites over landed batches, and checks of whole batches."""
