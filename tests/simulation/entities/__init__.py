"""I9 in the simulation: parents, children and grandchildren come, move and go while everything goes wrong."""
