"""Nile Pay as a payment gateway of altayar."""
