# SPDX-License-Identifier: MIT
"""What MLflow runs to ask a model: libeddy, so that `mlflow models serve` gives the numbers that a sensor has.

Registered as code: MLflow runs this file where the model is loaded. Nothing is unpickled.
"""

from __future__ import annotations

from typing import Any

import pandas as pd  # type: ignore[import-untyped]
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from eddy_ml.predict import Model


class EddyModel(PythonModel):
    """Rows of the model's columns in; the probability of each class and the score out."""

    def load_context(self, context: Any) -> None:
        self.model = Model(context.artifacts["model"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        rows = model_input[self.model.columns].to_numpy(dtype="float64")
        answers = pd.DataFrame(self.model.predict_proba(rows), columns=self.model.outputs)
        if self.model.benign is not None:
            answers["score"] = self.model.score(rows)
        return answers


set_model(EddyModel())
