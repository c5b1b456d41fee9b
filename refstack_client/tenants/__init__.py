"""As whom the tests run: create tenants, hand them out and remove them."""
