"""understudy: film a person for two minutes, and a trained actor of that person performs any dance."""
