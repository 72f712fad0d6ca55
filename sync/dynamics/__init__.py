"""The Dataverse Web API: changes, reads, metadata, error classes."""
