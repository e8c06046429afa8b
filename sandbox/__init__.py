"""Local stand-ins over real HTTP for Stripe, video hosts and mail. Development and tests only; loopback only."""
