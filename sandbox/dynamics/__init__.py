"""A strict look-alike of the Dataverse Web API, as far as contacts need it."""
