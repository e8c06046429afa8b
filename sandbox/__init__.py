"""Local stand-ins over real HTTP for Stripe, VdoCipher and mail. Development and tests only; loopback only."""
