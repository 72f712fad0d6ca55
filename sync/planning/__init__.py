"""Pure functions: mapping, conversion, plan, outcome. No I/O, no clock."""
