"""Keras and its backend, TensorFlow, whose start-up notices are kept from the user's log."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is imported

import keras
import tensorflow

__all__ = ["keras", "tensorflow"]
