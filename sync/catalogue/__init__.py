"""The error catalogue by origin: a file holds the codes of one side, `sync.errors.CATALOGUE` all of them."""
