"""Winback: a scheduled warehouse that says which customers leave, why, and whom to call first."""
