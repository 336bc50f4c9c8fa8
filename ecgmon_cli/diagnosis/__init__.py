"""The checks of ``ecgmon doctor``."""
