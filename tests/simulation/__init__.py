"""The seeded simulation of the contacts flow (design 6): real flow code, virtual time, everything that goes wrong."""
