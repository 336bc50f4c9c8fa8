"""Study 4: transformations of a beat, networks that learn to tell them apart, their ensemble."""
