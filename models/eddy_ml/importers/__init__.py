# SPDX-License-Identifier: MIT
"""One file for each library other than scikit-learn whose models become model files."""
