"""Local stand-ins for the services around the sync. Neither of `sandbox/` and `sync/` imports the other."""
