"""What is known of a cloud; the class is in outcomes, for bundles record it too."""

from refstack_client.outcomes.cloud_facts import ADMIN_ROLE, CloudFacts

__all__ = ["ADMIN_ROLE", "CloudFacts"]
