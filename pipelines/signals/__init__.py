"""Series and counts → tests and signals: pure numbers, one module a detector, one ledger of everything tested."""
