"""The verbs: pull, full read, sweep, feed, apply, replay, wake, expire."""
