"""An actor plays a driver; several actors play together."""
