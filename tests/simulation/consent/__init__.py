"""I4 in the simulation: people opt out and in on both sides while everything else goes wrong (design 4.7, 6)."""
