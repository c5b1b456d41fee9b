"""Which capabilities are must-have, and whether a cloud has them."""
