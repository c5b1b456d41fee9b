"""As whom the tests run: create, hand out and remove tenants."""
