# SPDX-License-Identifier: MIT
"""From a sensor's logs to a model file that eddy scores with.

features    logs -> a table of columns, worked out by libeddy as on the sensor
clean       logs -> a table of flows, and what became of every record
export      a fitted estimator of scikit-learn -> a model file
model_file  reads and writes model files, without libeddy
predict     asks a model file, through libeddy

Nothing is imported here, so that each part needs only what it uses itself.
"""

__version__ = "0.1.0"
