"""A strict stand-in for the Adobe Campaign Standard REST API: profiles, services, custom resources.

What the real service rejects, and what the documents leave open, is refused here in the real error format.
`README.md` beside this file lists every refusal that stands for a silence of the documents.
"""
