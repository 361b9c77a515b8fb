"""Networks in the original latent-diffusion key layout, shaped by a config read from a file's keys."""
