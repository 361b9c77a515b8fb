"""Faster denoiser steps: compiled networks, and steps that are captured once and replayed."""
