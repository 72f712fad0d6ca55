"""The Campaign REST API: resources, metadata, error classes."""
