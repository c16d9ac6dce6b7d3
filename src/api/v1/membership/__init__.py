"""Plans and subscriptions."""
