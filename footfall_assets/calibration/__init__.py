"""Measuring how a set of models counts: labelled people in, thresholds, probe and count correction out."""
