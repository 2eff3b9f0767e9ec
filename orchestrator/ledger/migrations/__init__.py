"""Every change the ledger's tables ever made, in order."""
