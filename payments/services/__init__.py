"""What happens to orders. Start with `checkout` (a student buys) and `sync` (Stripe is asked what became of it)."""
