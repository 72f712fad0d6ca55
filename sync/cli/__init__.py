"""`python -m sync …`: what admins, operators and CI call. One verb a file; `program.py` lists them."""
