"""Accounts, roles, the second factor and the audit trail: who may do what at the desk, and who did."""
