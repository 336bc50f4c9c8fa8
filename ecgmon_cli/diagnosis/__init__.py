"""What ``ecgmon doctor`` looks at."""
