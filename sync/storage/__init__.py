"""Tables and queues: watermarks, mappings, ledger, budget, parked, history, counters, lanes."""
