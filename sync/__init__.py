"""Keeps Dynamics 365 Sales and Adobe Campaign in step; `python -m sync` is its command line."""
