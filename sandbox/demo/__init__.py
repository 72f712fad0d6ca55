"""`scripts/demo`: the main job on embedded stand-ins, measured from outside.

Nothing here imports `sync/`: what is expected is written down again, by hand, in `compare.py`.
"""
