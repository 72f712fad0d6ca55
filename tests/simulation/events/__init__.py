"""The events flow in the simulation: exports, flips, salespeople and what goes wrong; run with `python -m`."""
