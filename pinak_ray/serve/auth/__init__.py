"""Who calls: tokens, and the keys that verify them."""
