"""Email events: pull log exports into event rows, apply partitions of them to the timeline, wake, keep house."""
