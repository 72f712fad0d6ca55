"""A stand-in for the Azure Functions host, for local runs and tests. Production is Azure's own host.

It loads `function_app.py` through Microsoft's worker library (`azure-functions-runtime`) and follows the
documented rules for timers, queues, visibility, dequeue counts and poison queues (azure.md 2). Each module says
where it differs.
"""
